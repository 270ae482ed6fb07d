# SPDX-License-Identifier: GPL-2.0-or-later
source "$(dirname "${BASH_SOURCE[0]}")/../helpers.bash"

setup_suite() { suite_make; }
teardown_suite() { suite_remove; }
