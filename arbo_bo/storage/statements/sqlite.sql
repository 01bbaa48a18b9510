-- tasks
SELECT task_models.namespace, task_models.task_name, task_models.t_base_1, task_models.p_obs, task_models.c_startup, task_models.k_exponent, task_models.alpha, task_models.base_input_size, task_models.sample_count, task_models.last_updated, task_models.configuration, task_models.hyperparameters, task_models.version, task_models.next_trial_index
FROM task_models
WHERE task_models.namespace = :namespace ORDER BY task_models.task_name;

-- task
SELECT task_models.namespace, task_models.task_name, task_models.t_base_1, task_models.p_obs, task_models.c_startup, task_models.k_exponent, task_models.alpha, task_models.base_input_size, task_models.sample_count, task_models.last_updated, task_models.configuration, task_models.hyperparameters, task_models.version, task_models.next_trial_index
FROM task_models
WHERE task_models.namespace = :namespace AND task_models.task_name = :name;

-- task_locked
SELECT task_models.namespace, task_models.task_name, task_models.t_base_1, task_models.p_obs, task_models.c_startup, task_models.k_exponent, task_models.alpha, task_models.base_input_size, task_models.sample_count, task_models.last_updated, task_models.configuration, task_models.hyperparameters, task_models.version, task_models.next_trial_index
FROM task_models
WHERE task_models.namespace = :namespace AND task_models.task_name = :name;

-- create_task
INSERT INTO task_models (namespace, task_name, alpha, configuration, hyperparameters) VALUES (:namespace, :task_name, :alpha, :configuration, :hyperparameters) ON CONFLICT DO NOTHING RETURNING namespace, task_name, t_base_1, p_obs, c_startup, k_exponent, alpha, base_input_size, sample_count, last_updated, configuration, hyperparameters, version, next_trial_index;

-- restore_task
INSERT INTO task_models (namespace, task_name, t_base_1, p_obs, c_startup, k_exponent, alpha, base_input_size, sample_count, last_updated, configuration, hyperparameters, version, next_trial_index) VALUES (:namespace, :task_name, :t_base_1, :p_obs, :c_startup, :k_exponent, :alpha, :base_input_size, :sample_count, :last_updated, :configuration, :hyperparameters, :version, :next_trial_index);

-- configure_task
UPDATE task_models SET alpha=:alpha, configuration=:configuration, version=(task_models.version + 1) WHERE task_models.namespace = :namespace AND task_models.task_name = :name RETURNING namespace, task_name, t_base_1, p_obs, c_startup, k_exponent, alpha, base_input_size, sample_count, last_updated, configuration, hyperparameters, version, next_trial_index;

-- rename_task
UPDATE task_models SET task_name=:new_name, version=(task_models.version + 1) WHERE task_models.namespace = :namespace AND task_models.task_name = :name RETURNING namespace, task_name, t_base_1, p_obs, c_startup, k_exponent, alpha, base_input_size, sample_count, last_updated, configuration, hyperparameters, version, next_trial_index;

-- count_samples
UPDATE task_models SET t_base_1=coalesce(:t_base_1, task_models.t_base_1), p_obs=coalesce(:p_obs, task_models.p_obs), c_startup=coalesce(:c_startup, task_models.c_startup), k_exponent=coalesce(:k_exponent, task_models.k_exponent), base_input_size=coalesce(task_models.base_input_size, :first_size), sample_count=(task_models.sample_count + :added), last_updated=coalesce(:last_updated, task_models.last_updated), hyperparameters=coalesce(:hyperparameters, task_models.hyperparameters), version=(task_models.version + 1) WHERE task_models.namespace = :namespace AND task_models.task_name = :name RETURNING namespace, task_name, t_base_1, p_obs, c_startup, k_exponent, alpha, base_input_size, sample_count, last_updated, configuration, hyperparameters, version, next_trial_index;

-- delete_task
DELETE FROM task_models WHERE task_models.namespace = :namespace AND task_models.task_name = :name;

-- allot_indices
UPDATE task_models SET version=(task_models.version + 1), next_trial_index=(task_models.next_trial_index + :count) WHERE task_models.namespace = :namespace AND task_models.task_name = :name RETURNING namespace, task_name, t_base_1, p_obs, c_startup, k_exponent, alpha, base_input_size, sample_count, last_updated, configuration, hyperparameters, version, next_trial_index, :now AS moment;

-- trials
SELECT execution_history.trial_id, execution_history.namespace, execution_history.task_name, execution_history.trial_index, execution_history.status, execution_history.parallelism, execution_history.input_size, execution_history.input_scale_factor, execution_history.cluster_load, execution_history.execution_time_s, execution_history.startup_time_s, execution_history.residual_s, execution_history.predicted_time_s, execution_history.predicted_time_std_s, execution_history.acquisition, execution_history.phase, execution_history.created_at, execution_history.started_at, execution_history.finished_at, execution_history.timed_out_after_s, execution_history.failure_reason, execution_history.idempotency_key, execution_history.run_key, execution_history.exclusion_reason, execution_history.strategy, execution_history.lease_expires_at, execution_history.time_measure, execution_history.queued_time_s, execution_history.mean_cluster_load, execution_history.recommended_parallelism, execution_history.reason, execution_history.decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name ORDER BY execution_history.trial_index;

-- trials_from
SELECT execution_history.trial_id, execution_history.namespace, execution_history.task_name, execution_history.trial_index, execution_history.status, execution_history.parallelism, execution_history.input_size, execution_history.input_scale_factor, execution_history.cluster_load, execution_history.execution_time_s, execution_history.startup_time_s, execution_history.residual_s, execution_history.predicted_time_s, execution_history.predicted_time_std_s, execution_history.acquisition, execution_history.phase, execution_history.created_at, execution_history.started_at, execution_history.finished_at, execution_history.timed_out_after_s, execution_history.failure_reason, execution_history.idempotency_key, execution_history.run_key, execution_history.exclusion_reason, execution_history.strategy, execution_history.lease_expires_at, execution_history.time_measure, execution_history.queued_time_s, execution_history.mean_cluster_load, execution_history.recommended_parallelism, execution_history.reason, execution_history.decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.trial_index >= :first ORDER BY execution_history.trial_index
 LIMIT :most OFFSET 0;

-- identities_from
SELECT execution_history.trial_index, execution_history.trial_id, execution_history.idempotency_key
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.trial_index >= :first ORDER BY execution_history.trial_index
 LIMIT :most OFFSET 0;

-- trial
SELECT execution_history.trial_id, execution_history.namespace, execution_history.task_name, execution_history.trial_index, execution_history.status, execution_history.parallelism, execution_history.input_size, execution_history.input_scale_factor, execution_history.cluster_load, execution_history.execution_time_s, execution_history.startup_time_s, execution_history.residual_s, execution_history.predicted_time_s, execution_history.predicted_time_std_s, execution_history.acquisition, execution_history.phase, execution_history.created_at, execution_history.started_at, execution_history.finished_at, execution_history.timed_out_after_s, execution_history.failure_reason, execution_history.idempotency_key, execution_history.run_key, execution_history.exclusion_reason, execution_history.strategy, execution_history.lease_expires_at, execution_history.time_measure, execution_history.queued_time_s, execution_history.mean_cluster_load, execution_history.recommended_parallelism, execution_history.reason, execution_history.decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.trial_index = :trial_index;

-- trial_locked
SELECT execution_history.trial_id, execution_history.namespace, execution_history.task_name, execution_history.trial_index, execution_history.status, execution_history.parallelism, execution_history.input_size, execution_history.input_scale_factor, execution_history.cluster_load, execution_history.execution_time_s, execution_history.startup_time_s, execution_history.residual_s, execution_history.predicted_time_s, execution_history.predicted_time_std_s, execution_history.acquisition, execution_history.phase, execution_history.created_at, execution_history.started_at, execution_history.finished_at, execution_history.timed_out_after_s, execution_history.failure_reason, execution_history.idempotency_key, execution_history.run_key, execution_history.exclusion_reason, execution_history.strategy, execution_history.lease_expires_at, execution_history.time_measure, execution_history.queued_time_s, execution_history.mean_cluster_load, execution_history.recommended_parallelism, execution_history.reason, execution_history.decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.trial_index = :trial_index;

-- trial_of_id_locked
SELECT execution_history.trial_id, execution_history.namespace, execution_history.task_name, execution_history.trial_index, execution_history.status, execution_history.parallelism, execution_history.input_size, execution_history.input_scale_factor, execution_history.cluster_load, execution_history.execution_time_s, execution_history.startup_time_s, execution_history.residual_s, execution_history.predicted_time_s, execution_history.predicted_time_std_s, execution_history.acquisition, execution_history.phase, execution_history.created_at, execution_history.started_at, execution_history.finished_at, execution_history.timed_out_after_s, execution_history.failure_reason, execution_history.idempotency_key, execution_history.run_key, execution_history.exclusion_reason, execution_history.strategy, execution_history.lease_expires_at, execution_history.time_measure, execution_history.queued_time_s, execution_history.mean_cluster_load, execution_history.recommended_parallelism, execution_history.reason, execution_history.decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.trial_id = :trial_id;

-- trials_of_ids
SELECT execution_history.trial_id, execution_history.namespace, execution_history.task_name, execution_history.trial_index, execution_history.status, execution_history.parallelism, execution_history.input_size, execution_history.input_scale_factor, execution_history.cluster_load, execution_history.execution_time_s, execution_history.startup_time_s, execution_history.residual_s, execution_history.predicted_time_s, execution_history.predicted_time_std_s, execution_history.acquisition, execution_history.phase, execution_history.created_at, execution_history.started_at, execution_history.finished_at, execution_history.timed_out_after_s, execution_history.failure_reason, execution_history.idempotency_key, execution_history.run_key, execution_history.exclusion_reason, execution_history.strategy, execution_history.lease_expires_at, execution_history.time_measure, execution_history.queued_time_s, execution_history.mean_cluster_load, execution_history.recommended_parallelism, execution_history.reason, execution_history.decision
FROM execution_history
WHERE execution_history.trial_id IN (SELECT anon_1.value
FROM json_each(:ids) AS anon_1);

-- trial_of_key
SELECT execution_history.trial_id, execution_history.namespace, execution_history.task_name, execution_history.trial_index, execution_history.status, execution_history.parallelism, execution_history.input_size, execution_history.input_scale_factor, execution_history.cluster_load, execution_history.execution_time_s, execution_history.startup_time_s, execution_history.residual_s, execution_history.predicted_time_s, execution_history.predicted_time_std_s, execution_history.acquisition, execution_history.phase, execution_history.created_at, execution_history.started_at, execution_history.finished_at, execution_history.timed_out_after_s, execution_history.failure_reason, execution_history.idempotency_key, execution_history.run_key, execution_history.exclusion_reason, execution_history.strategy, execution_history.lease_expires_at, execution_history.time_measure, execution_history.queued_time_s, execution_history.mean_cluster_load, execution_history.recommended_parallelism, execution_history.reason, execution_history.decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.idempotency_key = :idempotency_key;

-- history
SELECT anon_1.trial_id, anon_1.namespace, anon_1.task_name, anon_1.trial_index, anon_1.status, anon_1.parallelism, anon_1.input_size, anon_1.input_scale_factor, anon_1.cluster_load, anon_1.execution_time_s, anon_1.startup_time_s, anon_1.residual_s, anon_1.predicted_time_s, anon_1.predicted_time_std_s, anon_1.acquisition, anon_1.phase, anon_1.created_at, anon_1.started_at, anon_1.finished_at, anon_1.timed_out_after_s, anon_1.failure_reason, anon_1.idempotency_key, anon_1.run_key, anon_1.exclusion_reason, anon_1.strategy, anon_1.lease_expires_at, anon_1.time_measure, anon_1.queued_time_s, anon_1.mean_cluster_load, anon_1.recommended_parallelism, anon_1.reason
FROM (SELECT execution_history.trial_id AS trial_id, execution_history.namespace AS namespace, execution_history.task_name AS task_name, execution_history.trial_index AS trial_index, execution_history.status AS status, execution_history.parallelism AS parallelism, execution_history.input_size AS input_size, execution_history.input_scale_factor AS input_scale_factor, execution_history.cluster_load AS cluster_load, execution_history.execution_time_s AS execution_time_s, execution_history.startup_time_s AS startup_time_s, execution_history.residual_s AS residual_s, execution_history.predicted_time_s AS predicted_time_s, execution_history.predicted_time_std_s AS predicted_time_std_s, execution_history.acquisition AS acquisition, execution_history.phase AS phase, execution_history.created_at AS created_at, execution_history.started_at AS started_at, execution_history.finished_at AS finished_at, execution_history.timed_out_after_s AS timed_out_after_s, execution_history.failure_reason AS failure_reason, execution_history.idempotency_key AS idempotency_key, execution_history.run_key AS run_key, execution_history.exclusion_reason AS exclusion_reason, execution_history.strategy AS strategy, execution_history.lease_expires_at AS lease_expires_at, execution_history.time_measure AS time_measure, execution_history.queued_time_s AS queued_time_s, execution_history.mean_cluster_load AS mean_cluster_load, execution_history.recommended_parallelism AS recommended_parallelism, execution_history.reason AS reason, execution_history.decision AS decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.status = 'COMPLETED' AND execution_history.exclusion_reason IS NULL ORDER BY execution_history.trial_index DESC
 LIMIT :window OFFSET 0) AS anon_1 UNION ALL SELECT anon_2.trial_id, anon_2.namespace, anon_2.task_name, anon_2.trial_index, anon_2.status, anon_2.parallelism, anon_2.input_size, anon_2.input_scale_factor, anon_2.cluster_load, anon_2.execution_time_s, anon_2.startup_time_s, anon_2.residual_s, anon_2.predicted_time_s, anon_2.predicted_time_std_s, anon_2.acquisition, anon_2.phase, anon_2.created_at, anon_2.started_at, anon_2.finished_at, anon_2.timed_out_after_s, anon_2.failure_reason, anon_2.idempotency_key, anon_2.run_key, anon_2.exclusion_reason, anon_2.strategy, anon_2.lease_expires_at, anon_2.time_measure, anon_2.queued_time_s, anon_2.mean_cluster_load, anon_2.recommended_parallelism, anon_2.reason
FROM (SELECT execution_history.trial_id AS trial_id, execution_history.namespace AS namespace, execution_history.task_name AS task_name, execution_history.trial_index AS trial_index, execution_history.status AS status, execution_history.parallelism AS parallelism, execution_history.input_size AS input_size, execution_history.input_scale_factor AS input_scale_factor, execution_history.cluster_load AS cluster_load, execution_history.execution_time_s AS execution_time_s, execution_history.startup_time_s AS startup_time_s, execution_history.residual_s AS residual_s, execution_history.predicted_time_s AS predicted_time_s, execution_history.predicted_time_std_s AS predicted_time_std_s, execution_history.acquisition AS acquisition, execution_history.phase AS phase, execution_history.created_at AS created_at, execution_history.started_at AS started_at, execution_history.finished_at AS finished_at, execution_history.timed_out_after_s AS timed_out_after_s, execution_history.failure_reason AS failure_reason, execution_history.idempotency_key AS idempotency_key, execution_history.run_key AS run_key, execution_history.exclusion_reason AS exclusion_reason, execution_history.strategy AS strategy, execution_history.lease_expires_at AS lease_expires_at, execution_history.time_measure AS time_measure, execution_history.queued_time_s AS queued_time_s, execution_history.mean_cluster_load AS mean_cluster_load, execution_history.recommended_parallelism AS recommended_parallelism, execution_history.reason AS reason, execution_history.decision AS decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.status = 'FAILED' ORDER BY execution_history.trial_index DESC
 LIMIT :window OFFSET 0) AS anon_2 UNION ALL SELECT anon_3.trial_id, anon_3.namespace, anon_3.task_name, anon_3.trial_index, anon_3.status, anon_3.parallelism, anon_3.input_size, anon_3.input_scale_factor, anon_3.cluster_load, anon_3.execution_time_s, anon_3.startup_time_s, anon_3.residual_s, anon_3.predicted_time_s, anon_3.predicted_time_std_s, anon_3.acquisition, anon_3.phase, anon_3.created_at, anon_3.started_at, anon_3.finished_at, anon_3.timed_out_after_s, anon_3.failure_reason, anon_3.idempotency_key, anon_3.run_key, anon_3.exclusion_reason, anon_3.strategy, anon_3.lease_expires_at, anon_3.time_measure, anon_3.queued_time_s, anon_3.mean_cluster_load, anon_3.recommended_parallelism, anon_3.reason
FROM (SELECT execution_history.trial_id AS trial_id, execution_history.namespace AS namespace, execution_history.task_name AS task_name, execution_history.trial_index AS trial_index, execution_history.status AS status, execution_history.parallelism AS parallelism, execution_history.input_size AS input_size, execution_history.input_scale_factor AS input_scale_factor, execution_history.cluster_load AS cluster_load, execution_history.execution_time_s AS execution_time_s, execution_history.startup_time_s AS startup_time_s, execution_history.residual_s AS residual_s, execution_history.predicted_time_s AS predicted_time_s, execution_history.predicted_time_std_s AS predicted_time_std_s, execution_history.acquisition AS acquisition, execution_history.phase AS phase, execution_history.created_at AS created_at, execution_history.started_at AS started_at, execution_history.finished_at AS finished_at, execution_history.timed_out_after_s AS timed_out_after_s, execution_history.failure_reason AS failure_reason, execution_history.idempotency_key AS idempotency_key, execution_history.run_key AS run_key, execution_history.exclusion_reason AS exclusion_reason, execution_history.strategy AS strategy, execution_history.lease_expires_at AS lease_expires_at, execution_history.time_measure AS time_measure, execution_history.queued_time_s AS queued_time_s, execution_history.mean_cluster_load AS mean_cluster_load, execution_history.recommended_parallelism AS recommended_parallelism, execution_history.reason AS reason, execution_history.decision AS decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.status = 'RUNNING' ORDER BY execution_history.trial_index DESC
 LIMIT 500 OFFSET 0) AS anon_3;

-- under_way
SELECT anon_1.trial_id, anon_1.namespace, anon_1.task_name, anon_1.trial_index, anon_1.status, anon_1.parallelism, anon_1.input_size, anon_1.input_scale_factor, anon_1.cluster_load, anon_1.execution_time_s, anon_1.startup_time_s, anon_1.residual_s, anon_1.predicted_time_s, anon_1.predicted_time_std_s, anon_1.acquisition, anon_1.phase, anon_1.created_at, anon_1.started_at, anon_1.finished_at, anon_1.timed_out_after_s, anon_1.failure_reason, anon_1.idempotency_key, anon_1.run_key, anon_1.exclusion_reason, anon_1.strategy, anon_1.lease_expires_at, anon_1.time_measure, anon_1.queued_time_s, anon_1.mean_cluster_load, anon_1.recommended_parallelism, anon_1.reason
FROM (SELECT execution_history.trial_id AS trial_id, execution_history.namespace AS namespace, execution_history.task_name AS task_name, execution_history.trial_index AS trial_index, execution_history.status AS status, execution_history.parallelism AS parallelism, execution_history.input_size AS input_size, execution_history.input_scale_factor AS input_scale_factor, execution_history.cluster_load AS cluster_load, execution_history.execution_time_s AS execution_time_s, execution_history.startup_time_s AS startup_time_s, execution_history.residual_s AS residual_s, execution_history.predicted_time_s AS predicted_time_s, execution_history.predicted_time_std_s AS predicted_time_std_s, execution_history.acquisition AS acquisition, execution_history.phase AS phase, execution_history.created_at AS created_at, execution_history.started_at AS started_at, execution_history.finished_at AS finished_at, execution_history.timed_out_after_s AS timed_out_after_s, execution_history.failure_reason AS failure_reason, execution_history.idempotency_key AS idempotency_key, execution_history.run_key AS run_key, execution_history.exclusion_reason AS exclusion_reason, execution_history.strategy AS strategy, execution_history.lease_expires_at AS lease_expires_at, execution_history.time_measure AS time_measure, execution_history.queued_time_s AS queued_time_s, execution_history.mean_cluster_load AS mean_cluster_load, execution_history.recommended_parallelism AS recommended_parallelism, execution_history.reason AS reason, execution_history.decision AS decision
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.status = 'RUNNING' ORDER BY execution_history.created_at
 LIMIT 500 OFFSET 0) AS anon_1;

-- add_trial
INSERT INTO execution_history (trial_id, namespace, task_name, trial_index, status, parallelism, input_size, input_scale_factor, cluster_load, execution_time_s, startup_time_s, residual_s, predicted_time_s, predicted_time_std_s, acquisition, phase, created_at, started_at, finished_at, timed_out_after_s, failure_reason, idempotency_key, run_key, exclusion_reason, strategy, lease_expires_at, time_measure, queued_time_s, mean_cluster_load, recommended_parallelism, reason, decision) VALUES (:trial_id, :namespace, :task_name, :trial_index, :status, :parallelism, :input_size, :input_scale_factor, :cluster_load, :execution_time_s, :startup_time_s, :residual_s, :predicted_time_s, :predicted_time_std_s, :acquisition, :phase, :created_at, :started_at, :finished_at, :timed_out_after_s, :failure_reason, :idempotency_key, :run_key, :exclusion_reason, :strategy, :lease_expires_at, :time_measure, :queued_time_s, :mean_cluster_load, :recommended_parallelism, :reason, :decision);

-- save_trial
UPDATE execution_history SET status=:status, parallelism=:parallelism, input_size=:input_size, input_scale_factor=:input_scale_factor, cluster_load=:cluster_load, execution_time_s=:execution_time_s, startup_time_s=:startup_time_s, residual_s=:residual_s, predicted_time_s=:predicted_time_s, predicted_time_std_s=:predicted_time_std_s, acquisition=:acquisition, phase=:phase, created_at=:created_at, started_at=:started_at, finished_at=:finished_at, timed_out_after_s=:timed_out_after_s, failure_reason=:failure_reason, idempotency_key=:idempotency_key, run_key=:run_key, exclusion_reason=:exclusion_reason, strategy=:strategy, lease_expires_at=:lease_expires_at, time_measure=:time_measure, queued_time_s=:queued_time_s, mean_cluster_load=:mean_cluster_load, recommended_parallelism=:recommended_parallelism WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND execution_history.trial_index = :trial_index;

-- now
SELECT :now AS moment;

-- running
SELECT coalesce(sum(CASE WHEN (execution_history.lease_expires_at <= :now OR execution_history.lease_expires_at IS NULL AND julianday(execution_history.created_at) * 86400.0 < julianday(:now) * 86400.0 - 86400.0) THEN 0 WHEN (execution_history.parallelism > 2147483647) THEN 0 ELSE execution_history.parallelism END), 0) AS workers, count(CASE WHEN (execution_history.lease_expires_at <= :now OR execution_history.lease_expires_at IS NULL AND julianday(execution_history.created_at) * 86400.0 < julianday(:now) * 86400.0 - 86400.0) THEN 1 END) AS lapsed
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.status = 'RUNNING';

-- lapsed
SELECT execution_history.task_name, execution_history.trial_index
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.status = 'RUNNING' AND (execution_history.lease_expires_at <= :now OR execution_history.lease_expires_at IS NULL AND julianday(execution_history.created_at) * 86400.0 < julianday(:now) * 86400.0 - 86400.0) ORDER BY execution_history.task_name, execution_history.trial_index;

-- abandon_lapsed
UPDATE execution_history SET status='ABANDONED', finished_at=:now, failure_reason='the lease expired, and no outcome had come', lease_expires_at=coalesce(execution_history.lease_expires_at, :now) WHERE execution_history.trial_id IN (SELECT execution_history.trial_id
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.status = 'RUNNING' AND (execution_history.lease_expires_at <= :now OR execution_history.lease_expires_at IS NULL AND julianday(execution_history.created_at) * 86400.0 < julianday(:now) * 86400.0 - 86400.0)) RETURNING task_name, trial_index;

-- supersede
UPDATE execution_history SET status='ABANDONED', finished_at=:now, failure_reason=:reason, lease_expires_at=NULL WHERE execution_history.trial_id IN (SELECT execution_history.trial_id
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.status = 'RUNNING' AND execution_history.task_name = :name AND execution_history.run_key = :run_key AND execution_history.trial_index < :trial_index);

-- mean_load
SELECT coalesce(sum(anon_1.parallelism * (min(julianday(anon_1.ended_at) * 86400.0, julianday(:end) * 86400.0) - max(julianday(anon_1.started_at) * 86400.0, julianday(:start) * 86400.0))), 0.0) / ((julianday(:end) * 86400.0 - julianday(:start) * 86400.0) + 0.0) AS workers
FROM (SELECT execution_history.parallelism AS parallelism, execution_history.started_at AS started_at, execution_history.finished_at AS ended_at
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.status IN ('COMPLETED', 'FAILED') AND execution_history.finished_at > :start AND execution_history.started_at < :end AND execution_history.started_at < execution_history.finished_at AND (execution_history.task_name != :name OR execution_history.trial_index != :trial_index) UNION ALL SELECT execution_history.parallelism AS parallelism, execution_history.started_at AS started_at, :end AS ended_at
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.status = 'RUNNING' AND execution_history.started_at < :end AND NOT (execution_history.lease_expires_at <= :now OR execution_history.lease_expires_at IS NULL AND julianday(execution_history.created_at) * 86400.0 < julianday(:now) * 86400.0 - 86400.0) AND (execution_history.task_name != :name OR execution_history.trial_index != :trial_index)) AS anon_1;

-- first_to_prune
SELECT execution_history.trial_index
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND CASE WHEN (execution_history.status = 'COMPLETED' AND execution_history.exclusion_reason IS NOT NULL) THEN 'EXCLUDED' ELSE execution_history.status END = :kind ORDER BY execution_history.trial_index DESC
 LIMIT 1 OFFSET :kept;

-- count_pruned
SELECT count(*) AS count
FROM execution_history
WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND CASE WHEN (execution_history.status = 'COMPLETED' AND execution_history.exclusion_reason IS NOT NULL) THEN 'EXCLUDED' ELSE execution_history.status END = :kind AND execution_history.trial_index <= :first_to_go AND coalesce(execution_history.finished_at, execution_history.created_at) < :limit;

-- prune
DELETE FROM execution_history WHERE execution_history.namespace = :namespace AND execution_history.task_name = :name AND CASE WHEN (execution_history.status = 'COMPLETED' AND execution_history.exclusion_reason IS NOT NULL) THEN 'EXCLUDED' ELSE execution_history.status END = :kind AND execution_history.trial_index <= :first_to_go AND coalesce(execution_history.finished_at, execution_history.created_at) < :limit;

-- may_add_to_task_models
INSERT INTO task_models (namespace, task_name, t_base_1, p_obs, c_startup, k_exponent, alpha, base_input_size, sample_count, last_updated, configuration, hyperparameters, version, next_trial_index) SELECT task_models.namespace, task_models.task_name, task_models.t_base_1, task_models.p_obs, task_models.c_startup, task_models.k_exponent, task_models.alpha, task_models.base_input_size, task_models.sample_count, task_models.last_updated, task_models.configuration, task_models.hyperparameters, task_models.version, task_models.next_trial_index
FROM task_models
WHERE 0 = 1;

-- may_change_task_models
UPDATE task_models SET task_name='none' WHERE 0 = 1;

-- may_delete_from_task_models
DELETE FROM task_models WHERE 0 = 1;

-- may_add_to_execution_history
INSERT INTO execution_history (trial_id, namespace, task_name, trial_index, status, parallelism, input_size, input_scale_factor, cluster_load, execution_time_s, startup_time_s, residual_s, predicted_time_s, predicted_time_std_s, acquisition, phase, created_at, started_at, finished_at, timed_out_after_s, failure_reason, idempotency_key, run_key, exclusion_reason, strategy, lease_expires_at, time_measure, queued_time_s, mean_cluster_load, recommended_parallelism, reason, decision) SELECT execution_history.trial_id, execution_history.namespace, execution_history.task_name, execution_history.trial_index, execution_history.status, execution_history.parallelism, execution_history.input_size, execution_history.input_scale_factor, execution_history.cluster_load, execution_history.execution_time_s, execution_history.startup_time_s, execution_history.residual_s, execution_history.predicted_time_s, execution_history.predicted_time_std_s, execution_history.acquisition, execution_history.phase, execution_history.created_at, execution_history.started_at, execution_history.finished_at, execution_history.timed_out_after_s, execution_history.failure_reason, execution_history.idempotency_key, execution_history.run_key, execution_history.exclusion_reason, execution_history.strategy, execution_history.lease_expires_at, execution_history.time_measure, execution_history.queued_time_s, execution_history.mean_cluster_load, execution_history.recommended_parallelism, execution_history.reason, execution_history.decision
FROM execution_history
WHERE 0 = 1;

-- may_change_execution_history
UPDATE execution_history SET task_name='none' WHERE 0 = 1;

-- may_delete_from_execution_history
DELETE FROM execution_history WHERE 0 = 1;
