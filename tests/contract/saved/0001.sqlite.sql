BEGIN TRANSACTION;
CREATE TABLE arbo_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT arbo_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "arbo_alembic_version" VALUES('0001');
CREATE TABLE execution_history (
	id VARCHAR(36) NOT NULL, 
	namespace VARCHAR(255) NOT NULL, 
	task_name VARCHAR(255) NOT NULL, 
	trial_index INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	parallelism INTEGER NOT NULL, 
	input_size DOUBLE, 
	input_scale_factor DOUBLE DEFAULT '1' NOT NULL, 
	cluster_load DOUBLE, 
	execution_time DOUBLE, 
	startup_time DOUBLE, 
	residual DOUBLE, 
	predicted_mean DOUBLE, 
	predicted_std DOUBLE, 
	acquisition VARCHAR(255), 
	phase VARCHAR(16) NOT NULL, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	timed_out_after DOUBLE, 
	failure_reason TEXT, 
	CONSTRAINT pk_execution_history PRIMARY KEY (id), 
	CONSTRAINT uq_execution_history_namespace_task_name_trial_index UNIQUE (namespace, task_name, trial_index), 
	CONSTRAINT fk_execution_history_task_models FOREIGN KEY(namespace, task_name) REFERENCES task_models (namespace, task_name) ON DELETE CASCADE ON UPDATE CASCADE, 
	CONSTRAINT ck_execution_history_status_known CHECK (status IN ('CANDIDATE', 'RUNNING', 'COMPLETED', 'FAILED', 'ABANDONED')), 
	CONSTRAINT ck_execution_history_trial_index_not_negative CHECK (trial_index >= 0), 
	CONSTRAINT ck_execution_history_parallelism_positive CHECK (parallelism >= 1), 
	CONSTRAINT ck_execution_history_execution_time_positive CHECK (execution_time > 0 AND execution_time < 1e300), 
	CONSTRAINT ck_execution_history_timed_out_after_positive CHECK (timed_out_after > 0 AND timed_out_after < 1e300), 
	CONSTRAINT ck_execution_history_input_size_positive CHECK (input_size > 0 AND input_size < 1e300), 
	CONSTRAINT ck_execution_history_input_scale_factor_positive CHECK (input_scale_factor > 0 AND input_scale_factor < 1e300), 
	CONSTRAINT ck_execution_history_startup_time_not_negative CHECK (startup_time >= 0 AND startup_time < 1e300), 
	CONSTRAINT ck_execution_history_cluster_load_not_negative CHECK (cluster_load >= 0 AND cluster_load < 1e300), 
	CONSTRAINT ck_execution_history_completed_has_time CHECK (status <> 'COMPLETED' OR execution_time IS NOT NULL)
);
INSERT INTO "execution_history" VALUES('82e9d64c-d96f-446b-9536-4d2b2851da68','default','load_sales',0,'COMPLETED',1,2500000000.0,1.0,0.0,100.0,1.5,NULL,NULL,NULL,NULL,'baseline','2026-11-21 09:36:24.509794','2026-11-21 09:36:24.509794','2026-11-21 09:36:24.539389',NULL,NULL);
INSERT INTO "execution_history" VALUES('7abd3d0c-3f8c-4675-be5b-a2841c4fc9a9','default','load_sales',1,'COMPLETED',5,2500000000.0,1.0,0.0,28.0,1.5,NULL,NULL,NULL,NULL,'probe','2026-11-21 09:36:24.575826','2026-11-21 09:36:24.575826','2026-11-21 09:36:24.598109',NULL,NULL);
INSERT INTO "execution_history" VALUES('62798048-704f-4ebc-a683-b9a97f8d3c01','default','load_sales',2,'FAILED',9,3000000000.0,1.2,0.0,NULL,NULL,NULL,2.36978137610801482533e+01,1.54625152183321068477e+00,'expected_cost','optimize','2026-11-21 09:36:30.900214','2026-11-21 09:36:30.900214','2026-11-21 09:36:30.930261',60.0,'exit status 1
no space');
INSERT INTO "execution_history" VALUES('4c66c491-d756-41ca-b527-154429fd970d','default','load_sales',3,'ABANDONED',9,NULL,1.0,0.0,NULL,NULL,NULL,1.99987390441567498555e+01,1.29327806916038023921e+00,'expected_cost','optimize','2026-11-21 09:36:31.016694','2026-11-21 09:36:31.016694','2026-11-21 09:36:31.041946',NULL,'stopped');
INSERT INTO "execution_history" VALUES('b2193f30-84f2-4637-bc13-ec0542c8e312','default','load_sales',4,'RUNNING',9,3000000000.0,1.2,0.0,NULL,NULL,NULL,2.36978112389389288243e+01,1.54625123484829196662e+00,'expected_cost','optimize','2026-11-21 09:36:31.133998','2026-11-21 09:36:31.133998',NULL,NULL,NULL);
INSERT INTO "execution_history" VALUES('aad795a1-2719-4aa4-8a3c-7137a8359d57','team ü','nightly',0,'COMPLETED',4,NULL,1.0,NULL,12.0,NULL,NULL,NULL,NULL,NULL,'attached','2026-11-21 09:36:31.164881',NULL,'2026-11-21 09:36:31.164881',NULL,NULL);
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
INSERT INTO "task_models" VALUES('default','load_sales',1.00143586030620184606e+02,9.14750580774709498577e-01,1.5013640751197647738e+00,1.0,0.3,2500000000.0,2,'2026-11-21 09:36:31.140642','{"format": 1, "parallelism": {"min": 1, "max": 16}, "default_parallelism": 5, "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": null}, "window": 40, "baseline": true, "residual": "multiplicative", "estimator": "gp"}','{"format": 1, "law": {"t1_s": 98.64222195550042, "p": 0.9147505807747095, "c_s": 1.5013640751197648, "k": 1.0}, "outputscale": 0.006107306021933255, "lengthscales": [0.8510806098042514, 1.2336820230629468, 0.2490761047690112], "noise": 0.0008155076595367635, "residual": "multiplicative"}',11,5);
INSERT INTO "task_models" VALUES('team ü','nightly',NULL,NULL,NULL,NULL,0.3,NULL,1,'2026-11-21 09:36:31.195056','{"format": 1, "parallelism": {"min": 1, "max": 32}, "default_parallelism": 5, "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": null}, "window": 50, "baseline": true, "residual": "multiplicative", "estimator": "gp"}','{}',3,1);
CREATE INDEX ix_execution_history_namespace_task_name_status_trial_index ON execution_history (namespace, task_name, status, trial_index);
CREATE INDEX ix_execution_history_running ON execution_history (namespace) WHERE status = 'RUNNING';
COMMIT;
