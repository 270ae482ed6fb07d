/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that talk to registries share. */
#include "cli/dhow/transfer.h"

static int take_credentials(const char *text, struct credentials *out, struct error **err)
{
	const char *colon = strchr(text, ':');

	out->user = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	out->password = strdup(colon ? colon + 1 : "");
	if (!out->user || !out->password)
		return error_errno(err, ENOMEM, "take --creds");
	if (!*out->user)
		return error_set(err, EINVAL, "--creds: expected user[:password]");
	return 0;
}

int transfer_registry_opts(const struct transfer_values *values, struct store *store,
			   struct registry_opts *out, struct credentials *credentials,
			   struct error **err)
{
	*out = (struct registry_opts){
		.config = store_config(store),
		.authfile = values->authfile,
		.cert_dir = values->cert_dir,
		.no_tls_verify = !values->tls_verify,
	};
	if (!values->creds)
		return 0;
	out->credentials = credentials;
	return take_credentials(values->creds, credentials, err);
}
