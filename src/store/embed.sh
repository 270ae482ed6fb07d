#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# embed.sh SQL: the schema as a C text, for the program.
echo '#include "store/internal.h"'
echo 'const char store_schema[] ='
sed -e '/^--/d' -e 's/ *--.*//' -e 's/[\\"]/\\&/g' -e 's/.*/	"&\\n"/' "$1"
echo '	;'
