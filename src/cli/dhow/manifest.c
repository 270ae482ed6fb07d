/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow manifest inspect: a manifest or index as the registry has it. */
#include "cli/dhow/commands.h"
#include "cli/dhow/transfer.h"

struct values {
	struct transfer_values transfer;
	bool insecure;
};

static const struct command_option options[] = {
	TRANSFER_OPTIONS(struct values),
	{.name = "insecure",
	 .help = "take plain HTTP and certificates that don't verify",
	 OPTION_TO(struct values, insecure)},
	{0},
};

static int print_manifest(const struct reference *name, const struct registry_opts *opts,
			  struct error **err)
{
	struct registry_document document = {0};
	struct registry *registry = NULL;
	_cleanup_json_ json_t *value = NULL;
	int r = registry_open(name, opts, &registry, err);

	if (!r)
		r = registry_manifest_get(registry, name->digest ? name->digest : name->tag,
					  &document, err);
	if (!r)
		r = json_parse(document.data, document.length, "manifest", &value, err);
	if (!r)
		r = dhow_print_json(value, err);
	registry_document_clear(&document);
	registry_close(registry);
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_reference_ struct reference name = {0};
	struct credentials credentials = {0};
	struct registry_opts opts = {0};
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = reference_parse(call->arguments[0], store_config(store), &name, err);
	if (!r)
		r = transfer_registry_opts(&v->transfer, store, &opts, &credentials, err);
	opts.no_tls_verify |= v->insecure;
	if (!r)
		r = print_manifest(&name, &opts, err);
	credentials_clear(&credentials);
	return r;
}

static const struct command inspect = {
	.name = "inspect",
	.arguments = "NAME[:TAG|@DIGEST]",
	.summary = "Show a manifest or index as the registry has it",
	.options = options,
	.values_size = sizeof(struct values),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
static const struct command *const commands[] = {&inspect, NULL};

const struct command dhow_manifest = {
	.name = "manifest",
	.summary = "Look at manifests of a registry",
	.commands = commands,
};
