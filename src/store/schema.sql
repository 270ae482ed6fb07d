-- SPDX-License-Identifier: GPL-2.0-or-later
-- Version 1 of the database. Times are nanoseconds since 1970 UTC, sizes bytes, digests "sha256:HEX".
CREATE TABLE image (
	id TEXT PRIMARY KEY,              -- digest of the configuration
	manifest TEXT NOT NULL,           -- digest of the manifest it came with last
	manifest_type TEXT NOT NULL,
	created INTEGER NOT NULL,
	arrived INTEGER NOT NULL,
	size INTEGER NOT NULL,            -- of its layers' files, unpacked
	os TEXT NOT NULL, architecture TEXT NOT NULL, variant TEXT NOT NULL DEFAULT '',
	parent TEXT                       -- id of the image it was committed or built from
) WITHOUT ROWID;
CREATE TABLE image_name (             -- "docker.io/library/debian" "latest"
	repository TEXT NOT NULL, tag TEXT NOT NULL,
	image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,
	PRIMARY KEY (repository, tag)
) WITHOUT ROWID;
CREATE INDEX image_name_image ON image_name(image);
CREATE TABLE image_digest (           -- what a registry calls it: of a manifest or of an index
	repository TEXT NOT NULL, digest TEXT NOT NULL,
	image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,
	PRIMARY KEY (repository, digest, image)
) WITHOUT ROWID;
CREATE INDEX image_digest_image ON image_digest(image);
CREATE TABLE image_layer (
	image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,
	position INTEGER NOT NULL,        -- 0 is the lowest
	chain_id TEXT NOT NULL, diff_id TEXT NOT NULL,
	blob TEXT NOT NULL, media_type TEXT NOT NULL, blob_size INTEGER NOT NULL, -- as in the manifest
	size INTEGER NOT NULL,            -- of its files
	PRIMARY KEY (image, position)
) WITHOUT ROWID;
CREATE INDEX image_layer_chain ON image_layer(chain_id);
CREATE TABLE image_blob (             -- every blob the image needs: manifest, index, configuration, layers
	image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,
	digest TEXT NOT NULL,
	PRIMARY KEY (image, digest)
) WITHOUT ROWID;
CREATE INDEX image_blob_digest ON image_blob(digest);
CREATE TABLE blob_source (            -- where a blob was seen: for mounts across repositories and pushes that skip
	digest TEXT NOT NULL, repository TEXT NOT NULL,
	PRIMARY KEY (digest, repository)
) WITHOUT ROWID;
CREATE TABLE layer_use (              -- who needs a layer besides its images
	chain_id TEXT NOT NULL, user TEXT NOT NULL, -- "mount:ID", later "container:ID"
	PRIMARY KEY (chain_id, user)
) WITHOUT ROWID;
CREATE TABLE lease (
	id TEXT NOT NULL, item TEXT NOT NULL,
	PRIMARY KEY (id, item)
) WITHOUT ROWID;
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID; -- "storage-driver": what was probed
