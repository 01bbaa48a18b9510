BEGIN TRANSACTION;
CREATE TABLE arbo_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT arbo_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "arbo_alembic_version" VALUES('0003');
CREATE TABLE execution_history (
	trial_id VARCHAR(36) NOT NULL, 
	namespace VARCHAR(255) NOT NULL, 
	task_name VARCHAR(255) NOT NULL, 
	trial_index INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	parallelism INTEGER NOT NULL, 
	input_size DOUBLE, 
	input_scale_factor DOUBLE DEFAULT '1' NOT NULL, 
	cluster_load DOUBLE, 
	execution_time_s DOUBLE, 
	startup_time_s DOUBLE, 
	residual_s DOUBLE, 
	predicted_time_s DOUBLE, 
	predicted_time_std_s DOUBLE, 
	acquisition VARCHAR(255), 
	phase VARCHAR(16) NOT NULL, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	timed_out_after_s DOUBLE, 
	failure_reason TEXT, idempotency_key VARCHAR(255), run_key VARCHAR(255), exclusion_reason TEXT, strategy JSON, lease_expires_at DATETIME, time_measure VARCHAR(16)
CONSTRAINT ck_execution_history_time_measure_known CHECK (time_measure IN ('makespan', 'slowest')), queued_time_s DOUBLE
CONSTRAINT ck_execution_history_queued_time_not_negative CHECK (queued_time_s >= 0 AND queued_time_s < 1e300), mean_cluster_load DOUBLE
CONSTRAINT ck_execution_history_mean_cluster_load_not_negative CHECK (mean_cluster_load >= 0 AND mean_cluster_load < 1e300), recommended_parallelism INTEGER
CONSTRAINT ck_execution_history_recommended_parallelism_positive CHECK (recommended_parallelism >= 1), reason TEXT, decision JSON, 
	CONSTRAINT pk_execution_history PRIMARY KEY (trial_id), 
	CONSTRAINT uq_execution_history_namespace_task_name_trial_index UNIQUE (namespace, task_name, trial_index), 
	CONSTRAINT fk_execution_history_task_models FOREIGN KEY(namespace, task_name) REFERENCES task_models (namespace, task_name) ON DELETE CASCADE ON UPDATE CASCADE, 
	CONSTRAINT ck_execution_history_status_known CHECK (status IN ('CANDIDATE', 'RUNNING', 'COMPLETED', 'FAILED', 'ABANDONED')), 
	CONSTRAINT ck_execution_history_trial_index_not_negative CHECK (trial_index >= 0), 
	CONSTRAINT ck_execution_history_parallelism_positive CHECK (parallelism >= 1), 
	CONSTRAINT ck_execution_history_execution_time_positive CHECK (execution_time_s > 0 AND execution_time_s < 1e300), 
	CONSTRAINT ck_execution_history_timed_out_after_positive CHECK (timed_out_after_s > 0 AND timed_out_after_s < 1e300), 
	CONSTRAINT ck_execution_history_input_size_positive CHECK (input_size > 0 AND input_size < 1e300), 
	CONSTRAINT ck_execution_history_input_scale_factor_positive CHECK (input_scale_factor > 0 AND input_scale_factor < 1e300), 
	CONSTRAINT ck_execution_history_startup_time_not_negative CHECK (startup_time_s >= 0 AND startup_time_s < 1e300), 
	CONSTRAINT ck_execution_history_cluster_load_not_negative CHECK (cluster_load >= 0 AND cluster_load < 1e300), 
	CONSTRAINT ck_execution_history_completed_has_time CHECK (status <> 'COMPLETED' OR execution_time_s IS NOT NULL)
);
INSERT INTO "execution_history" VALUES('88a9f093-b344-4923-a055-92e5b9b6a7ce','default','load_sales',0,'COMPLETED',1,2500000000.0,1.0,0.0,100.0,2.0,NULL,NULL,NULL,NULL,'baseline','2026-11-30 22:25:20.456573','2026-11-30 22:25:20.456573','2026-11-30 22:25:20.465894',NULL,NULL,NULL,'2026-01-01',NULL,'{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}',NULL,'makespan',1.5,0.0,NULL,NULL,NULL);
INSERT INTO "execution_history" VALUES('fb0e53f9-837a-4a0f-8f12-f787bc5d5b1a','default','load_sales',1,'COMPLETED',5,2500000000.0,1.0,0.0,28.0,2.0,NULL,NULL,NULL,NULL,'probe','2026-11-30 22:25:20.476289','2026-11-30 22:25:20.476289','2026-11-30 22:25:20.480819',NULL,NULL,NULL,'2026-01-05',NULL,'{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}',NULL,'makespan',1.5,0.0,NULL,NULL,NULL);
INSERT INTO "execution_history" VALUES('9ae20705-3005-49bc-82ee-2092399d89fa','default','load_sales',2,'FAILED',16,3000000000.0,1.2,0.0,NULL,NULL,NULL,1.88163479751340396717e+01,8.28545038457188631753e+00,'knowledge_gradient','optimize','2026-11-30 22:25:23.150787','2026-11-30 22:25:23.150787','2026-11-30 22:25:23.157426',90.0,'exit status 1
no space',NULL,NULL,NULL,'{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "execution_history" VALUES('34cb5e17-e7b9-497e-9558-78efd87620dc','default','load_sales',3,'ABANDONED',1,NULL,1.0,0.0,NULL,NULL,NULL,3.03255017556111170049e+02,6.69758149231239940501e+02,'knowledge_gradient','optimize','2026-11-30 22:25:23.221161','2026-11-30 22:25:23.221161','2026-11-30 22:25:23.227136',NULL,NULL,NULL,NULL,NULL,'{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "execution_history" VALUES('3f8d5433-5593-431f-83b4-aaffc4f29b8f','default','load_sales',4,'RUNNING',1,NULL,1.0,0.0,NULL,NULL,NULL,3.03255056961832735861e+02,6.69758314892391467751e+02,'knowledge_gradient','optimize','2026-11-30 22:25:23.288660','2026-11-30 22:25:23.288660',NULL,NULL,NULL,NULL,NULL,NULL,'{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}','2026-12-01 22:25:23.289813',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "execution_history" VALUES('d56edc86-6e84-46a6-9c9b-b8a42dd30ac8','team ü','nightly',0,'COMPLETED',1,NULL,1.0,0.0,12.0,NULL,NULL,NULL,NULL,NULL,'baseline','2026-11-30 22:25:23.311774','2026-11-30 22:25:23.311774','2026-11-30 22:25:23.318048',NULL,NULL,NULL,NULL,NULL,'{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}',NULL,NULL,NULL,0.0,NULL,NULL,NULL);
CREATE TABLE task_models (
	namespace VARCHAR(255) NOT NULL, 
	task_name VARCHAR(255) NOT NULL, 
	t_base_1 DOUBLE, 
	p_obs DOUBLE, 
	c_startup DOUBLE, 
	k_exponent DOUBLE, 
	alpha DOUBLE NOT NULL, 
	base_input_size DOUBLE, 
	sample_count INTEGER DEFAULT '0' NOT NULL, 
	last_updated DATETIME, 
	configuration JSON NOT NULL, 
	hyperparameters JSON NOT NULL, 
	version BIGINT DEFAULT '1' NOT NULL, 
	next_trial_index INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_task_models PRIMARY KEY (namespace, task_name), 
	CONSTRAINT ck_task_models_t_base_1_positive CHECK (t_base_1 > 0 AND t_base_1 < 2e300), 
	CONSTRAINT ck_task_models_p_obs_fraction CHECK (p_obs >= 0 AND p_obs <= 1), 
	CONSTRAINT ck_task_models_c_startup_not_negative CHECK (c_startup >= 0 AND c_startup < 1e300), 
	CONSTRAINT ck_task_models_k_exponent_finite CHECK (k_exponent > -1e300 AND k_exponent < 1e300), 
	CONSTRAINT ck_task_models_alpha_fraction CHECK (alpha > 0 AND alpha <= 1), 
	CONSTRAINT ck_task_models_base_input_size_positive CHECK (base_input_size > 0 AND base_input_size < 1e300), 
	CONSTRAINT ck_task_models_sample_count_not_negative CHECK (sample_count >= 0), 
	CONSTRAINT ck_task_models_next_trial_index_not_negative CHECK (next_trial_index >= 0)
);
INSERT INTO "task_models" VALUES('default','load_sales',8.50190178425082336826e+01,8.22065603573750469656e-01,1.9942678193107696849e+00,1.13912236839960923084e+00,0.3,2500000000.0,2,'2026-11-30 22:25:23.291270','{"format": 1, "parallelism": {"min": 1, "max": 16}, "default_parallelism": 5, "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": null}, "window": 40, "baseline": true, "residual": "multiplicative", "estimator": "gp", "mean": "amdahl", "strategy": {"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}, "lease_s": null}','{"format": 1, "law": {"t1_s": 83.02475002319747, "p": 0.8220656035737505, "c_s": 1.9942678193107697, "k": 1.1391223683996092}, "outputscale": 0.035464914871665296, "lengthscales": [1.7260935349460087, 5.473371886990252, 0.44932896411722156], "noise": 0.08554859627795455, "residual": "multiplicative", "mean": "amdahl", "learned": {"log_t1": 4.419138756396459, "logit_p": 1.5304052786176978, "log_c": 0.6902769751136821, "k_exponent": 1.1391223683996092}}',11,5);
INSERT INTO "task_models" VALUES('team ü','nightly',NULL,NULL,NULL,NULL,0.3,NULL,1,'2026-11-30 22:25:23.322020','{"format": 1, "parallelism": {"min": 1, "max": 32}, "default_parallelism": 5, "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": null}, "window": 50, "baseline": true, "residual": "multiplicative", "estimator": "gp", "mean": "amdahl", "strategy": {"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}, "lease_s": null}','{}',3,1);
CREATE INDEX ix_execution_history_namespace_task_name_status_trial_index ON execution_history (namespace, task_name, status, trial_index);
CREATE UNIQUE INDEX ix_execution_history_namespace_task_name_idempotency_key ON execution_history (namespace, task_name, idempotency_key);
CREATE INDEX ix_execution_history_namespace_finished_at ON execution_history (namespace, finished_at);
CREATE INDEX ix_execution_history_running ON execution_history (namespace, status) WHERE status = 'RUNNING';
COMMIT;
