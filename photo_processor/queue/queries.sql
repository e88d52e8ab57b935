-- name: insert_job
INSERT INTO jobs (id, number, name, status, sealed, batch, priority, recipe, apart, waits, idempotency_key,
                  fingerprint, created_at, updated_at)
VALUES (:id, (SELECT coalesce(max(number), 0) + 1 FROM jobs), :name, 'receiving', 0, :batch, :priority, :recipe,
        :apart, :waits, :idempotency_key, :fingerprint, :now, :now)

-- name: insert_file
INSERT INTO files (id, job_id, position, chosen, name, status, media_type, size, sha256, archive, entry, unscanned,
                   error, duplicate_of)
VALUES (:id, :job_id, :position, :chosen, :name, :status, :media_type, :size, :sha256, :archive, :entry, :unscanned,
        :error,
        (SELECT coalesce(duplicate_of, id) FROM files
          WHERE job_id = :job_id AND sha256 = :sha256 AND NOT (SELECT apart FROM jobs WHERE id = :job_id) LIMIT 1))

-- name: count_inserted
UPDATE jobs
   SET total = total + :total, queued = queued + :queued, failed = failed + :failed,
       batch = max(batch, :batch), updated_at = :now
 WHERE id = :job_id AND sealed = 0 AND status IN ('receiving', 'paused')
RETURNING *

-- name: next_position
SELECT max(coalesce((SELECT max(position) + 1 FROM files WHERE job_id = :job_id), 0),
           coalesce((SELECT max(position) + 1 FROM deleted WHERE job_id = :job_id), 0)) AS position

-- name: seal
UPDATE jobs
   SET sealed = 1, updated_at = :now,
       batch = max(batch, total > 1),
       status = CASE WHEN status = 'paused' THEN 'paused'
                     WHEN running + succeeded + failed > 0 THEN 'processing' ELSE 'queued' END
 WHERE id = :job_id AND sealed = 0 AND status IN ('receiving', 'paused')
   AND (total > 0 OR EXISTS (SELECT 1 FROM deleted WHERE job_id = :job_id))
RETURNING *

-- name: places_of_job
SELECT id, position FROM files WHERE job_id = :job_id ORDER BY chosen IS NULL, chosen, position

-- name: move_file
UPDATE files SET position = -1 - :position WHERE id = :id

-- name: settle_places
UPDATE files SET position = -1 - position WHERE job_id = :job_id AND position < 0 RETURNING *

-- name: claim_file
UPDATE files
   SET status = 'processing', token = :token, attempts = attempts + 1
 WHERE id = (SELECT f.id
               FROM jobs j
               JOIN files f ON f.id = (SELECT id FROM files
                                        WHERE job_id = j.id AND status = 'queued' AND duplicate_of IS NULL
                                          AND available_at <= :now
                                        ORDER BY position LIMIT 1)
              WHERE j.queued > 0 AND j.status IN ('receiving', 'queued', 'processing') AND (j.sealed OR NOT j.waits)
              ORDER BY j.priority DESC, j.turn, j.number
              LIMIT 1)
   AND (crash_count = 0 OR NOT EXISTS (SELECT 1 FROM jobs WHERE running > 0))
   AND NOT EXISTS (SELECT 1 FROM jobs AS j CROSS JOIN files AS suspect
                    WHERE j.running > 0 AND suspect.job_id = j.id AND suspect.status = 'processing'
                      AND suspect.crash_count > 0)
RETURNING *

-- name: claim_job
UPDATE jobs
   SET queued = queued - 1, running = running + 1, updated_at = :now, seq = seq + 1,
       status = CASE WHEN status = 'queued' THEN 'processing' ELSE status END,
       turn = (SELECT max(turn) + 1 FROM jobs)
 WHERE id = :job_id
RETURNING *

-- name: next_available_at
SELECT min(f.available_at) AS at
  FROM jobs j JOIN files f ON f.job_id = j.id AND f.status = 'queued' AND f.duplicate_of IS NULL
 WHERE j.queued > 0 AND j.status IN ('receiving', 'queued', 'processing') AND (j.sealed OR NOT j.waits)

-- name: unpack_file
UPDATE files
   SET sha256 = :sha256, size = :size, media_type = :media_type,
       duplicate_of = (SELECT coalesce(twin.duplicate_of, twin.id) FROM files AS twin INDEXED BY files_by_digest
                        WHERE twin.job_id = files.job_id AND twin.sha256 = :sha256 AND twin.id <> files.id
                          AND NOT (SELECT apart FROM jobs WHERE jobs.id = files.job_id)
                        ORDER BY twin.position LIMIT 1)
 WHERE id = :id AND token = :token
RETURNING *

-- name: unpack_waiting
UPDATE files
   SET sha256 = :sha256, size = :size, media_type = :media_type,
       duplicate_of = (SELECT coalesce(twin.duplicate_of, twin.id) FROM files AS twin INDEXED BY files_by_digest
                        WHERE twin.job_id = files.job_id AND twin.sha256 = :sha256 AND twin.id <> files.id
                          AND NOT (SELECT apart FROM jobs WHERE jobs.id = files.job_id)
                        ORDER BY twin.position LIMIT 1)
 WHERE id = :id AND status = 'queued' AND sha256 IS NULL
RETURNING *

-- name: entries_ahead
SELECT id, entry, size FROM files
 WHERE job_id = :job_id AND status = 'queued' AND duplicate_of IS NULL AND sha256 IS NULL
   AND archive = :archive AND entry > :entry AND entry <= :entry + :limit
 ORDER BY position LIMIT :limit

-- name: defer_to_twin
UPDATE files SET status = 'queued', token = NULL, attempts = attempts - 1
 WHERE id = :id AND token = :token
RETURNING *

-- name: complete_file
UPDATE files
   SET status = 'completed', token = NULL, width = :width, height = :height, engine = :engine, faces = :faces,
       crop = :crop, review = :review, keeps = 0, warnings = :warnings, error = NULL, timings = :timings, mask = :mask,
       thumbnail = :thumbnail, facts = :facts, taken = :taken, revision = revision + (attempts > 1)
 WHERE id = :id AND token = :token
RETURNING *

-- name: insert_output
INSERT INTO outputs (file_id, position, name, format, width, height, bytes, sha256, face)
VALUES (:file_id, :position, :name, :format, :width, :height, :bytes, :sha256, :face)

-- name: finish_duplicates
UPDATE files AS copy
   SET status = done.status, width = done.width, height = done.height, engine = done.engine, faces = done.faces,
       facts = done.facts, taken = done.taken, crop = done.crop, review = done.review,
       warnings = done.warnings, error = done.error, mask = done.mask, thumbnail = done.thumbnail,
       revision = copy.revision + copy.redoing
  FROM files AS done
 WHERE done.id = :id AND copy.duplicate_of = done.id AND copy.status = 'queued'
RETURNING *

-- name: copy_outputs
INSERT INTO outputs (file_id, position, name, format, width, height, bytes, sha256, face)
SELECT :copy, position, name, format, width, height, bytes, sha256, face FROM outputs WHERE file_id = :id

-- name: count_duplicates
UPDATE jobs
   SET queued = queued - :count, succeeded = succeeded + :succeeded, failed = failed + :failed
 WHERE id = :job_id
RETURNING *

-- name: fail_file
UPDATE files
   SET status = 'failed', token = NULL, error = :error, warnings = :warnings
 WHERE id = :id AND token = :token
RETURNING *

-- name: release_file
UPDATE files
   SET status = 'queued', token = NULL, available_at = :available_at, attempts = attempts - :refund
 WHERE id = :id AND token = :token
RETURNING *

-- name: release_job
UPDATE jobs SET queued = queued + 1, running = running - 1, updated_at = :now WHERE id = :job_id RETURNING *

-- name: count_finished
UPDATE jobs
   SET running = running - 1, succeeded = succeeded + :succeeded, failed = failed + :failed, updated_at = :now,
       seq = seq + 1
 WHERE id = :job_id
RETURNING *

-- name: finish_job
UPDATE jobs
   SET status = CASE WHEN succeeded > 0 OR total = 0 THEN 'completed' ELSE 'failed' END,
       error = CASE WHEN succeeded > 0 OR total = 0 THEN NULL ELSE :error END,
       updated_at = :now, expires_at = CASE WHEN kept THEN NULL ELSE coalesce(expires_at, :expires_at) END
 WHERE id = :job_id AND sealed = 1 AND queued = 0 AND running = 0
   AND (status IN ('queued', 'processing', 'paused') OR (:again AND status IN ('completed', 'failed')))
RETURNING *

-- name: first_error
SELECT error FROM files WHERE job_id = :job_id AND status = 'failed' ORDER BY position LIMIT 1

-- name: cancel_files
UPDATE files SET status = 'cancelled', token = NULL
 WHERE job_id = :job_id AND status IN ('queued', 'processing')
RETURNING *

-- name: cancel_job
UPDATE jobs
   SET status = 'cancelled', sealed = 1, queued = 0, running = 0, updated_at = :now,
       expires_at = CASE WHEN kept THEN NULL ELSE :expires_at END
 WHERE id = :job_id AND status IN ('receiving', 'queued', 'processing', 'paused')
RETURNING *

-- name: end_cancelled_redo
UPDATE jobs
   SET status = CASE WHEN :whole THEN 'completed' ELSE status END, succeeded = succeeded + :count
 WHERE id = :job_id
RETURNING *

-- name: pause_job
UPDATE jobs SET status = 'paused', updated_at = :now
 WHERE id = :job_id AND status IN ('receiving', 'queued', 'processing')
RETURNING *

-- name: resume_job
UPDATE jobs
   SET updated_at = :now,
       status = CASE WHEN sealed = 0 THEN 'receiving'
                     WHEN running + succeeded + failed > 0 THEN 'processing' ELSE 'queued' END
 WHERE id = :job_id AND status = 'paused'
RETURNING *

-- name: files_to_retry
SELECT id, status FROM files
 WHERE job_id = :job_id AND status IN ('failed', 'cancelled') AND (sha256 IS NOT NULL OR archive IS NOT NULL)
   AND (:file_id IS NULL
        OR coalesce(duplicate_of, id) = (SELECT coalesce(duplicate_of, id) FROM files WHERE id = :file_id))

-- name: retry_files
UPDATE files
   SET status = 'queued', error = NULL, warnings = '[]', crash_count = 0, crashed_alone = 0, available_at = 0
 WHERE id IN (SELECT value FROM json_each(:ids))
RETURNING *

-- name: retry_job
UPDATE jobs
   SET queued = queued + :count, failed = failed - :failed, error = NULL, updated_at = :now, expires_at = NULL,
       status = CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN 'queued' ELSE status END
 WHERE id = :job_id
RETURNING *

-- name: reprocess_files
UPDATE files
   SET status = 'queued', recipe = NULL, keeps = 0, error = NULL, warnings = '[]', crash_count = 0, crashed_alone = 0,
       available_at = 0
 WHERE job_id = :job_id AND status IN ('completed', 'failed', 'cancelled')
   AND (sha256 IS NOT NULL OR archive IS NOT NULL)
RETURNING *

-- name: reprocess_job
UPDATE jobs
   SET recipe = :recipe, apart = :apart, waits = 0, queued = :count, succeeded = 0, failed = total - :count,
       error = NULL, status = 'queued',
       updated_at = :now, expires_at = NULL
 WHERE id = :job_id AND status IN ('completed', 'failed', 'cancelled')
RETURNING *

-- name: files_among
SELECT * FROM files WHERE job_id = :job_id AND id IN (SELECT value FROM json_each(:ids)) ORDER BY position

-- name: reprocess_file
UPDATE files
   SET status = 'queued', recipe = :recipe, keeps = 0, drawn = CASE WHEN :fresh THEN NULL ELSE drawn END,
       duplicate_of = CASE WHEN NOT :apart AND duplicate_of IN (SELECT value FROM json_each(:ids)) THEN duplicate_of END,
       error = NULL, warnings = '[]', crash_count = 0, crashed_alone = 0, available_at = 0
 WHERE id = :id AND status IN ('completed', 'failed') AND (sha256 IS NOT NULL OR archive IS NOT NULL)
RETURNING *

-- name: redo_some
UPDATE jobs
   SET queued = queued + :succeeded + :failed, succeeded = succeeded - :succeeded, failed = failed - :failed,
       error = NULL, updated_at = :now, expires_at = NULL,
       status = CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN 'queued' ELSE status END
 WHERE id = :job_id
RETURNING *

-- name: part_copies
UPDATE files SET duplicate_of = NULL WHERE job_id = :job_id AND duplicate_of IS NOT NULL RETURNING id

-- name: insert_name
INSERT INTO names (job_id, position, file, number, caption) VALUES (:job_id, :position, :file, :number, :caption)

-- name: names_of_job
SELECT * FROM names WHERE job_id = :job_id ORDER BY position

-- name: unused_names
SELECT file FROM names WHERE job_id = :job_id AND NOT used ORDER BY position

-- name: hashes_of_job
SELECT id, name, json_extract(facts, '$.phash') AS phash FROM files
 WHERE job_id = :job_id AND json_extract(facts, '$.phash') IS NOT NULL ORDER BY position

-- name: count_names
SELECT count(*) AS rows FROM names WHERE job_id = :job_id

-- name: use_name
UPDATE names SET used = 1 WHERE job_id = :job_id AND position = :position

-- name: unuse_names
UPDATE names SET used = 0 WHERE job_id = :job_id AND used

-- name: name_file
UPDATE files SET number = :number, caption = :caption WHERE id = :id

-- name: name_by_hand
UPDATE files SET name = :name, number = :number, caption = :caption, named = max(named, :named)
 WHERE id = :id
RETURNING *

-- name: note_names
UPDATE jobs SET names = :names WHERE id = :job_id

-- name: draw_mask
UPDATE files
   SET status = 'queued', drawn = :drawn, keeps = 0, duplicate_of = NULL, error = NULL, warnings = '[]', crash_count = 0,
       crashed_alone = 0, available_at = 0
 WHERE id = :file_id AND job_id = :job_id AND status = 'completed' AND sha256 IS NOT NULL AND mask IS NOT NULL
RETURNING *

-- name: want_crop
UPDATE files
   SET status = 'queued', wanted = :wanted, keeps = 1, duplicate_of = NULL, error = NULL, warnings = '[]',
       crash_count = 0, crashed_alone = 0, available_at = 0
 WHERE id = :file_id AND job_id = :job_id AND status = 'completed' AND sha256 IS NOT NULL
RETURNING *

-- name: accept_file
UPDATE files SET review = '[]', accepted = :accepted
 WHERE id = :file_id AND job_id = :job_id AND status = 'completed'
RETURNING *

-- name: set_review
UPDATE files SET review = :review, accepted = :accepted WHERE id = :id RETURNING *

-- name: redo_one
UPDATE jobs
   SET queued = queued + 1, succeeded = succeeded - 1, error = NULL, updated_at = :now, expires_at = NULL,
       status = CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN 'queued' ELSE status END
 WHERE id = :job_id
RETURNING *

-- name: to_front
UPDATE jobs SET turn = (SELECT min(turn) - 1 FROM jobs), priority = 2, updated_at = :now
 WHERE id = :job_id AND status IN ('receiving', 'queued', 'processing', 'paused')
RETURNING *

-- name: change_job
UPDATE jobs
   SET name = coalesce(:name, name), priority = coalesce(:priority, priority), kept = coalesce(:kept, kept),
       expires_at = CASE WHEN status NOT IN ('completed', 'failed', 'cancelled') OR coalesce(:kept, kept) THEN NULL
                         WHEN :kept IS NOT NULL THEN :expires_at ELSE expires_at END,
       updated_at = :now
 WHERE id = :job_id
RETURNING *

-- name: name_results
UPDATE jobs SET recipe = :recipe, updated_at = :now WHERE id = :job_id

-- name: name_own_results
UPDATE files SET recipe = json_set(recipe, '$.naming', NULL) WHERE job_id = :job_id AND recipe IS NOT NULL

-- name: delete_job
DELETE FROM jobs WHERE id = :job_id RETURNING *

-- name: delete_expired
DELETE FROM jobs
 WHERE id = :job_id
   AND ((expires_at <= :now AND status IN ('completed', 'failed', 'cancelled'))
        OR (status = 'receiving' AND (waits OR queued = 0) AND running = 0 AND NOT kept AND updated_at <= :abandoned))
RETURNING id

-- name: expired_jobs
SELECT id FROM jobs
 WHERE (expires_at <= :now AND status IN ('completed', 'failed', 'cancelled'))
    OR (status = 'receiving' AND (waits OR queued = 0) AND running = 0 AND NOT kept AND updated_at <= :abandoned)
 ORDER BY updated_at LIMIT 100

-- name: idle_open_jobs
SELECT id FROM jobs WHERE status = 'receiving' AND total > 0 AND updated_at <= :before

-- name: shift_expiry
UPDATE jobs SET expires_at = min(expires_at + :leap, :now + max(0, expires_at - updated_at)) WHERE expires_at IS NOT NULL

-- name: shift_open_jobs
UPDATE jobs SET updated_at = :now - max(0, :before - updated_at) WHERE status = 'receiving'

-- name: shift_pauses
UPDATE files SET available_at = available_at + :leap WHERE status = 'queued' AND available_at > :before

-- name: files_in_process
SELECT * FROM files WHERE status = 'processing'

-- name: requeue_crashed
UPDATE files
   SET status = 'queued', token = NULL, crash_count = crash_count + 1, crashed_alone = crashed_alone + :alone
 WHERE id = :id AND status = 'processing'
RETURNING *

-- name: next_seq
UPDATE jobs SET seq = seq + 1 WHERE id = :job_id RETURNING *

-- name: insert_event
INSERT INTO events (job_id, seq, type, payload) VALUES (:job_id, :seq, :type, :payload)

-- name: events_since
SELECT seq, type, payload FROM events WHERE job_id = :job_id AND seq > :since ORDER BY seq

-- name: get_job
SELECT * FROM jobs WHERE id = :job_id

-- name: get_job_by_key
SELECT * FROM jobs WHERE idempotency_key = :idempotency_key

-- name: list_jobs
SELECT * FROM jobs
 WHERE (:status IS NULL OR status = :status)
   AND (:before IS NULL OR number < (SELECT number FROM jobs WHERE id = :before))
 ORDER BY number DESC LIMIT :limit

-- name: job_ids
SELECT id FROM jobs

-- name: all_recipes
SELECT recipe FROM jobs UNION SELECT recipe FROM files WHERE recipe IS NOT NULL
UNION SELECT json_extract(state, '$.recipe') FROM former

-- name: get_file
SELECT * FROM files WHERE job_id = :job_id AND id = :file_id

-- name: list_files
SELECT * FROM files
 WHERE job_id = :job_id
   AND (:status IS NULL OR status = :status OR (:status = 'review' AND status = 'completed' AND review <> '[]'))
   AND (:after IS NULL
        OR position > coalesce((SELECT position FROM files WHERE id = :after AND job_id = :job_id),
                               (SELECT position FROM deleted WHERE file_id = :after AND job_id = :job_id)))
 ORDER BY position LIMIT :limit

-- name: files_changed_since
SELECT * FROM files
 WHERE id IN (SELECT touched.value FROM events, json_each(events.payload, '$.file_ids') AS touched
               WHERE events.job_id = :job_id AND events.seq > :since)
 ORDER BY position

-- name: outputs_of_file
SELECT * FROM outputs WHERE file_id = :file_id ORDER BY position

-- name: outputs_of_job
SELECT o.* FROM outputs o JOIN files f ON f.id = o.file_id
 WHERE f.job_id = :job_id AND f.position BETWEEN :first AND :last
 ORDER BY f.position, o.position

-- name: deleted_since
SELECT file_id FROM deleted WHERE job_id = :job_id AND seq > :since ORDER BY position

-- name: delete_file
DELETE FROM files WHERE id = :id RETURNING *

-- name: insert_deleted
INSERT INTO deleted (job_id, file_id, position, seq) VALUES (:job_id, :file_id, :position, :seq)

-- name: count_deleted
UPDATE jobs
   SET total = total - :total, queued = queued - :queued, running = running - :processing,
       succeeded = succeeded - :completed, failed = failed - :failed, updated_at = :now
 WHERE id = :job_id
RETURNING *

-- name: copies_of_file
SELECT id, status FROM files WHERE duplicate_of = :id ORDER BY position

-- name: lead_copies
UPDATE files SET duplicate_of = CASE WHEN id <> :heir THEN :heir END WHERE id IN (SELECT value FROM json_each(:ids))

-- name: group_of_file
SELECT * FROM files WHERE id = :id OR duplicate_of = :id

-- name: results_of_files
SELECT DISTINCT sha256 FROM outputs WHERE file_id IN (SELECT value FROM json_each(:ids))

-- name: unused_references
SELECT json_extract(value, '$[0]') AS kind, json_extract(value, '$[1]') AS key FROM json_each(:references)
 WHERE CASE json_extract(value, '$[0]')
       WHEN 'source' THEN NOT EXISTS (SELECT 1 FROM files WHERE job_id = :job_id AND sha256 = json_extract(value, '$[1]'))
       WHEN 'archive' THEN NOT EXISTS (SELECT 1 FROM files WHERE job_id = :job_id AND archive = json_extract(value, '$[1]'))
       WHEN 'mask' THEN NOT EXISTS (SELECT 1 FROM files WHERE job_id = :job_id AND mask = json_extract(value, '$[1]'))
                    AND NOT EXISTS (SELECT 1 FROM files WHERE job_id = :job_id AND drawn = json_extract(value, '$[1]'))
       WHEN 'thumbnail'
       THEN NOT EXISTS (SELECT 1 FROM files WHERE job_id = :job_id AND thumbnail = json_extract(value, '$[1]'))
       WHEN 'file' THEN NOT EXISTS (SELECT 1 FROM files WHERE job_id = :job_id AND id = json_extract(value, '$[1]'))
       WHEN 'result'
       THEN NOT EXISTS (SELECT 1 FROM outputs AS o CROSS JOIN files AS f ON f.id = o.file_id
                         WHERE o.sha256 = json_extract(value, '$[1]') AND f.job_id = :job_id)
       END
   AND NOT EXISTS (SELECT 1 FROM former_blobs AS former
                    WHERE former.job_id = :job_id AND former.kind = json_extract(value, '$[0]')
                      AND former.key = json_extract(value, '$[1]'))

-- name: references_of_job
SELECT 'source' AS kind, sha256 AS key FROM files WHERE job_id = :job_id AND sha256 IS NOT NULL
UNION SELECT 'archive', archive FROM files WHERE job_id = :job_id AND archive IS NOT NULL
UNION SELECT 'mask', mask FROM files WHERE job_id = :job_id AND mask IS NOT NULL
UNION SELECT 'mask', drawn FROM files WHERE job_id = :job_id AND drawn IS NOT NULL
UNION SELECT 'thumbnail', thumbnail FROM files WHERE job_id = :job_id AND thumbnail IS NOT NULL
UNION SELECT 'file', id FROM files WHERE job_id = :job_id
UNION SELECT 'result', o.sha256 FROM files AS f JOIN outputs AS o ON o.file_id = f.id WHERE f.job_id = :job_id
UNION SELECT kind, key FROM former_blobs WHERE job_id = :job_id

-- name: clear_outputs
DELETE FROM outputs WHERE file_id = :file_id

-- name: file_totals
SELECT status, count(*) AS files, coalesce(sum(size), 0) AS bytes FROM files GROUP BY status

-- name: job_totals
SELECT status, count(*) AS jobs FROM jobs GROUP BY status

-- name: model_totals
SELECT json_extract(engine, '$.model') AS model, json_extract(engine, '$.runtime') AS runtime,
       count(*) AS files, avg(json_extract(timings, '$.total_s')) AS mean_s
  FROM files WHERE engine IS NOT NULL AND status = 'completed' GROUP BY 1, 2 ORDER BY files DESC

-- name: failure_totals
SELECT json_extract(error, '$.code') AS code, count(*) AS files
  FROM files WHERE status = 'failed' GROUP BY code ORDER BY files DESC

-- name: depth_totals
SELECT priority, coalesce(sum(queued), 0) AS queued FROM jobs
 WHERE status IN ('receiving', 'queued', 'processing') GROUP BY priority

-- name: waiting_jobs
SELECT count(*) AS waiting FROM jobs WHERE queued > 0 AND status IN ('receiving', 'queued', 'processing', 'paused')

-- name: recent_totals
SELECT json_extract(engine, '$.model') AS model, width * height / 1e6 AS megapixels,
       json_extract(timings, '$.total_s') AS seconds
  FROM files
 WHERE status = 'completed' AND duplicate_of IS NULL AND width IS NOT NULL
   AND json_extract(timings, '$.total_s') IS NOT NULL  -- a copy that stands for itself now was never worked on
 ORDER BY rowid DESC LIMIT :limit

-- name: span_totals
SELECT count(*) FILTER (WHERE f.status = 'completed') AS completed, count(*) FILTER (WHERE f.status = 'failed') AS failed,
       count(DISTINCT f.job_id) AS jobs
  FROM jobs j JOIN files f ON f.job_id = j.id WHERE j.updated_at >= :since

-- name: result_blobs
SELECT f.job_id, f.id AS file_id, o.sha256 FROM outputs o JOIN files f ON f.id = o.file_id WHERE f.status = 'completed'

-- name: lose_result
UPDATE files SET status = 'failed', error = :error WHERE id = :id AND status = 'completed' RETURNING *

-- name: count_lost
UPDATE jobs SET succeeded = succeeded - 1, failed = failed + 1, updated_at = :now WHERE id = :job_id

-- name: queue_depth
SELECT coalesce(sum(queued), 0) AS queued, coalesce(sum(running), 0) AS running FROM jobs
 WHERE status IN ('receiving', 'queued', 'processing')

-- name: unfinished_jobs
SELECT * FROM jobs WHERE status IN ('receiving', 'queued', 'processing', 'paused') ORDER BY number

-- name: finished_twins
SELECT DISTINCT done.id FROM files AS copy JOIN files AS done ON done.id = copy.duplicate_of
 WHERE copy.job_id = :job_id AND copy.position >= :first AND copy.status = 'queued'
   AND done.status IN ('completed', 'failed')

-- name: insert_addition
INSERT INTO additions (job_id, key, file_ids, fingerprint) VALUES (:job_id, :key, :file_ids, :fingerprint)

-- name: get_addition
SELECT file_ids, fingerprint FROM additions WHERE job_id = :job_id AND key = :key

-- name: seq_of_job
SELECT seq FROM jobs WHERE id = :job_id

-- name: keep_former
INSERT OR REPLACE INTO former (file_id, slot, job_id, state)
SELECT f.id, 'redo', f.job_id,
       json_object('width', f.width, 'height', f.height, 'engine', f.engine, 'faces', f.faces, 'crop', f.crop,
                   'wanted', f.wanted, 'review', f.review, 'warnings', f.warnings, 'timings', f.timings,
                   'mask', f.mask, 'drawn', f.drawn, 'thumbnail', f.thumbnail, 'facts', f.facts, 'taken', f.taken,
                   'accepted', f.accepted,
                   'recipe', coalesce(f.recipe, j.recipe),
                   'outputs', (SELECT json_group_array(json_object(
                                   'position', o.position, 'name', o.name, 'format', o.format, 'width', o.width,
                                   'height', o.height, 'bytes', o.bytes, 'sha256', o.sha256, 'face', o.face))
                                 FROM outputs AS o WHERE o.file_id = f.id))
  FROM files AS f JOIN jobs AS j ON j.id = f.job_id
 WHERE f.job_id = :job_id AND f.status = 'completed' AND (:ids IS NULL OR f.id IN (SELECT value FROM json_each(:ids)))

-- name: keep_former_blobs
INSERT OR IGNORE INTO former_blobs (job_id, kind, key, file_id, slot)
WITH kept AS (SELECT f.* FROM files AS f
               WHERE f.job_id = :job_id AND f.status = 'completed'
                 AND (:ids IS NULL OR f.id IN (SELECT value FROM json_each(:ids))))
SELECT job_id, 'mask', mask, id, 'redo' FROM kept WHERE mask IS NOT NULL
UNION SELECT job_id, 'mask', drawn, id, 'redo' FROM kept WHERE drawn IS NOT NULL
UNION SELECT job_id, 'thumbnail', thumbnail, id, 'redo' FROM kept WHERE thumbnail IS NOT NULL
UNION SELECT kept.job_id, 'result', o.sha256, kept.id, 'redo' FROM kept JOIN outputs AS o ON o.file_id = kept.id

-- name: note_redoing
UPDATE files SET redoing = 1
 WHERE job_id = :job_id AND status = 'completed' AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))

-- name: restore_former
UPDATE files AS f
   SET status = 'completed', token = NULL, keeps = 0, error = NULL, redoing = 0, revision = revision + 1,
       width = json_extract(was.state, '$.width'), height = json_extract(was.state, '$.height'),
       engine = json_extract(was.state, '$.engine'), faces = json_extract(was.state, '$.faces'),
       crop = json_extract(was.state, '$.crop'), wanted = json_extract(was.state, '$.wanted'),
       review = json_extract(was.state, '$.review'), warnings = json_extract(was.state, '$.warnings'),
       timings = json_extract(was.state, '$.timings'), mask = json_extract(was.state, '$.mask'),
       drawn = json_extract(was.state, '$.drawn'), thumbnail = json_extract(was.state, '$.thumbnail'),
       facts = json_extract(was.state, '$.facts'), taken = json_extract(was.state, '$.taken'),
       accepted = json_extract(was.state, '$.accepted'),
       recipe = nullif(json_extract(was.state, '$.recipe'), (SELECT recipe FROM jobs WHERE jobs.id = f.job_id))
  FROM former AS was
 WHERE was.file_id = f.id AND was.slot = :slot AND f.id = :id
RETURNING *

-- name: restore_outputs
INSERT INTO outputs (file_id, position, name, format, width, height, bytes, sha256, face)
SELECT was.file_id, json_extract(o.value, '$.position'), json_extract(o.value, '$.name'), json_extract(o.value, '$.format'),
       json_extract(o.value, '$.width'), json_extract(o.value, '$.height'), json_extract(o.value, '$.bytes'),
       json_extract(o.value, '$.sha256'), json_extract(o.value, '$.face')
  FROM former AS was, json_each(was.state, '$.outputs') AS o WHERE was.file_id = :id AND was.slot = :slot

-- name: former_blobs_of
SELECT DISTINCT kind, key FROM former_blobs
 WHERE file_id IN (SELECT value FROM json_each(:ids)) AND (:slot IS NULL OR slot = :slot)

-- name: forget_former
DELETE FROM former WHERE file_id = :id AND slot = :slot

-- name: former_is_undo
UPDATE former SET slot = 'undo' WHERE file_id = :id AND slot = 'redo'

-- name: note_former
UPDATE files
   SET redoing = 0, undoable = EXISTS (SELECT 1 FROM former WHERE file_id = :id AND slot = 'undo'),
       warnings = coalesce(:warnings, warnings)
 WHERE id = :id
RETURNING *

-- name: copies_done_again
SELECT id FROM files
 WHERE duplicate_of IN (SELECT value FROM json_each(:ids)) AND status = 'queued' AND redoing

-- name: fail_duplicates
UPDATE files SET status = 'failed', error = :error, warnings = '[]'
 WHERE duplicate_of = :id AND status = 'queued'
RETURNING *

-- name: count_undone
UPDATE jobs
   SET queued = queued - :queued, running = running - :processing, failed = failed - :failed,
       succeeded = succeeded + :queued + :processing + :failed, updated_at = :now
 WHERE id = :job_id

-- name: settle_recipe
UPDATE jobs
   SET recipe = (SELECT recipe FROM files WHERE job_id = :job_id AND status = 'completed' LIMIT 1)
 WHERE id = :job_id
   AND 1 = (SELECT count(DISTINCT recipe) FROM files WHERE job_id = :job_id AND status = 'completed')
   AND NOT EXISTS (SELECT 1 FROM files WHERE job_id = :job_id AND status = 'completed' AND recipe IS NULL)
RETURNING *

-- name: settle_recipes_of_files
UPDATE files SET recipe = NULL WHERE job_id = :job_id AND recipe = (SELECT recipe FROM jobs WHERE id = :job_id)
