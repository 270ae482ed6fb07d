/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written down about the thin pool and its devices.
 *
 * The pool can't be asked by ioctl which devices it has. So pool.json names every number before the pool hears it, and until after
 * the pool has forgotten it; and a file "device" in the directory of a layer or container says which is its. A number in pool.json
 * that no such file names is a rest of something that was cut off. */
#include <inttypes.h>

#include "storage/devicemapper_records.h"

#define FILE_NAME   "pool.json"
#define FILE_MAX    (64U << 20)
#define ID_MAX      0xffffff /* thin-provisioning.txt: 24 bits */
#define SECTORS_MAX (UINT64_C(1) << 48)

static int get_records(const struct json_at *at, struct dm_records *records, struct error **err)
{
	struct json_at next = json_member(at, "next"), base = json_member(at, "base"),
		       sectors = json_member(at, "base_sectors"),
		       transaction = json_member(at, "transaction"), fs = json_member(at, "fs"),
		       devices = json_member(at, "devices");
	uint64_t next_id = 0, base_id = 0;
	const char *fs_name = NULL;
	ssize_t count = json_get_array(&devices, err);

	if (json_get_object(at, err) < 0 || count < 0 ||
	    json_get_u64(&transaction, UINT64_MAX, &records->transaction, err) < 0 ||
	    json_get_u64(&next, ID_MAX, &next_id, err) < 0 ||
	    json_get_u64(&base, ID_MAX, &base_id, err) < 0 ||
	    json_get_u64(&sectors, SECTORS_MAX, &records->base_sectors, err) < 0 ||
	    json_get_string(&fs, &fs_name, err) < 0)
		return -EINVAL;
	records->next = (uint32_t)next_id;
	records->base = (uint32_t)base_id;
	if (fs_name && !(records->fs = strdup(fs_name)))
		return error_errno(err, ENOMEM, "read " FILE_NAME);
	for (size_t i = 0; i < (size_t)count; i++) {
		struct json_at element = json_element(&devices, i);
		uint64_t id = 0;

		if (json_get_u64(&element, ID_MAX, &id, err) < 0)
			return -EINVAL;
		if (dm_records_add(records, (uint32_t)id) < 0)
			return error_errno(err, ENOMEM, "read " FILE_NAME);
	}
	return 0;
}

int dm_records_read(struct storage *s, struct dm_records *records, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *json = NULL;
	struct json_at at = {0};
	size_t length;
	int r;

	*records = (struct dm_records){0};
	if (faccessat(s->root, FILE_NAME, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	r = file_read_at(s->root, FILE_NAME, FILE_MAX, &text, &length, err);
	if (r == 0)
		r = json_parse(text, length, FILE_NAME, &json, err);
	if (r < 0)
		return r;
	records->exist = true;
	at.value = json;
	r = get_records(&at, records, err);
	return r < 0 ? error_prefix(err, "%s/" FILE_NAME, s->path) : 0;
}

int dm_records_write(struct storage *s, const struct dm_records *records, struct error **err)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	strbuf_addf(&text,
		    "{\"transaction\":%" PRIu64 ",\"next\":%" PRIu32 ",\"base\":%" PRIu32
		    ",\"base_sectors\":%" PRIu64 ",\"fs\":",
		    records->transaction, records->next, records->base, records->base_sectors);
	json_quote(&text, records->fs ? records->fs : "");
	strbuf_adds(&text, ",\"devices\":[");
	for (size_t i = 0; i < records->count; i++)
		strbuf_addf(&text, "%s%" PRIu32, i ? "," : "", records->ids[i]);
	strbuf_adds(&text, "]}\n");
	if (text.failed)
		return error_errno(err, ENOMEM, "write " FILE_NAME);
	return file_replace_at(s->root, FILE_NAME, text.text, text.length, 0600, true, err);
}

int dm_records_add(struct dm_records *records, uint32_t id)
{
	uint32_t *ids = reallocarray(records->ids, records->count + 1, sizeof *ids);

	if (!ids)
		return -ENOMEM;
	records->ids = ids;
	ids[records->count++] = id;
	return 0;
}

void dm_records_drop(struct dm_records *records, uint32_t id)
{
	for (size_t i = 0; i < records->count; i++)
		if (records->ids[i] == id)
			records->ids[i--] = records->ids[--records->count];
}

void dm_records_free(struct dm_records *records)
{
	free(records->ids);
	free(records->fs);
	*records = (struct dm_records){0};
}

int dm_thin_read(struct storage *s, const char *path, struct dm_thin *thin, struct error **err)
{
	_cleanup_free_ char *name = NULL, *text = NULL;
	uint64_t id, sectors;
	char *space;
	int r;

	if (asprintf(&name, "%s/device", path) < 0)
		return error_errno(err, ENOMEM, "read %s", path);
	r = file_read_at(s->root, name, 256, &text, NULL, err);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	space = strchr(text, ' ');
	if (space)
		*space = '\0';
	if (!space || parse_u64(text, ID_MAX, &id) < 0 ||
	    parse_u64(space + 1, SECTORS_MAX, &sectors) < 0)
		return error_set(err, EINVAL, "%s/%s: not the record of a device", s->path, name);
	*thin = (struct dm_thin){.id = (uint32_t)id, .sectors = sectors};
	return 0;
}

int dm_thin_write(struct storage *s, const char *path, const struct dm_thin *thin,
		  struct error **err)
{
	_cleanup_free_ char *name = NULL, *text = NULL;
	int length = asprintf(&text, "%" PRIu32 " %" PRIu64 "\n", thin->id, thin->sectors);

	if (length < 0 || asprintf(&name, "%s/device", path) < 0)
		return error_errno(err, ENOMEM, "write %s", path);
	return file_replace_at(s->root, name, text, (size_t)length, 0600, true, err);
}

static void drop_id(uint32_t *ids, ssize_t *count, uint32_t id)
{
	for (ssize_t i = 0; i < *count; i++)
		if (ids[i] == id)
			ids[i--] = ids[--*count];
}

/* Drops from ids what the places in folder name. */
static int drop_named(struct storage *s, const char *folder, uint32_t *ids, ssize_t *count,
		      struct error **err)
{
	int fd = openat(s->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		int code = errno;

		close_fd(&fd);
		return code == ENOENT ? 0 : error_errno(err, code, "read %s", folder);
	}
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *path = NULL;
		struct dm_thin thin;
		int r;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
			return error_errno(err, ENOMEM, "read %s", folder);
		r = dm_thin_read(s, path, &thin, NULL);
		if (r == 0)
			drop_id(ids, count, thin.id);
		else if (r != -ENOENT && r != -ENOTDIR)
			return error_errno(err, -r, "read %s/device", path);
	}
	return 0;
}

ssize_t dm_find_unused(struct storage *s, const struct dm_records *records, uint32_t *ids,
		       struct error **err)
{
	/* In the order in which a place may move while we look. */
	static const char *const folders[] = {"staging", "layers", "containers"};
	ssize_t count = (ssize_t)records->count;

	memcpy(ids, records->ids, records->count * sizeof *ids);
	drop_id(ids, &count, records->base);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		int r = drop_named(s, folders[i], ids, &count, err);

		if (r < 0)
			return r;
	}
	return count;
}
