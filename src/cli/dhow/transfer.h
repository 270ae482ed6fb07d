/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that talk to registries share: their options, and what the options make of a registry's. */
#ifndef DHOW_CLI_DHOW_TRANSFER_H
#define DHOW_CLI_DHOW_TRANSFER_H

#include "cli/dhow/dhow.h"
#include "transfer/transfer.h"

struct transfer_values {
	const char *authfile, *cert_dir, *creds;
	bool tls_verify;
};

/* type has a struct transfer_values named transfer. */
#define TRANSFER_OPTIONS(type)                                                                  \
	{.name = "authfile",                                                                    \
	 .value = "path",                                                                       \
	 .completion = COMPLETE_FILE,                                                           \
	 .help = "file with credentials, in the format of docker's config.json",                \
	 OPTION_TO(type, transfer.authfile)},                                                   \
		{.name = "cert-dir",                                                            \
		 .value = "path",                                                               \
		 .completion = COMPLETE_DIRECTORY,                                              \
		 .help = "directory with the registry's certificates (ca.crt, client.cert, "    \
			 "client.key)",                                                         \
		 OPTION_TO(type, transfer.cert_dir)},                                           \
		{.name = "creds",                                                               \
		 .value = "user[:password]",                                                    \
		 .help = "credentials for the registry",                                        \
		 OPTION_TO(type, transfer.creds)},                                              \
	{                                                                                       \
		.name = "tls-verify", .help = "require HTTPS with a certificate that verifies", \
		.default_text = "true", OPTION_TO(type, transfer.tls_verify)                    \
	}

/* Fills in out; *credentials holds what --creds says, and must live as long as out is used. */
int transfer_registry_opts(const struct transfer_values *values, struct store *store,
			   struct registry_opts *out, struct credentials *credentials,
			   struct error **err);

#endif
