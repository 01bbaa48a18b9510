SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.arbo_alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.execution_history (
    trial_id character varying(36) CONSTRAINT execution_history_id_not_null NOT NULL,
    namespace character varying(255) NOT NULL,
    task_name character varying(255) NOT NULL,
    trial_index integer NOT NULL,
    status character varying(16) NOT NULL,
    parallelism integer NOT NULL,
    input_size double precision,
    input_scale_factor double precision DEFAULT '1'::double precision NOT NULL,
    cluster_load double precision,
    execution_time_s double precision,
    startup_time_s double precision,
    residual_s double precision,
    predicted_time_s double precision,
    predicted_time_std_s double precision,
    acquisition character varying(255),
    phase character varying(16) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    timed_out_after_s double precision,
    failure_reason text,
    idempotency_key character varying(255),
    run_key character varying(255),
    exclusion_reason text,
    strategy json,
    lease_expires_at timestamp with time zone,
    time_measure character varying(16),
    queued_time_s double precision,
    mean_cluster_load double precision,
    recommended_parallelism integer,
    reason text,
    decision json,
    CONSTRAINT ck_execution_history_cluster_load_not_negative CHECK (((cluster_load >= (0)::double precision) AND (cluster_load < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_completed_has_time CHECK ((((status)::text <> 'COMPLETED'::text) OR (execution_time_s IS NOT NULL))),
    CONSTRAINT ck_execution_history_execution_time_positive CHECK (((execution_time_s > (0)::double precision) AND (execution_time_s < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_input_scale_factor_positive CHECK (((input_scale_factor > (0)::double precision) AND (input_scale_factor < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_input_size_positive CHECK (((input_size > (0)::double precision) AND (input_size < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_mean_cluster_load_not_negative CHECK (((mean_cluster_load >= (0)::double precision) AND (mean_cluster_load < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_parallelism_positive CHECK ((parallelism >= 1)),
    CONSTRAINT ck_execution_history_queued_time_not_negative CHECK (((queued_time_s >= (0)::double precision) AND (queued_time_s < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_recommended_parallelism_positive CHECK ((recommended_parallelism >= 1)),
    CONSTRAINT ck_execution_history_startup_time_not_negative CHECK (((startup_time_s >= (0)::double precision) AND (startup_time_s < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_status_known CHECK (((status)::text = ANY (ARRAY[('CANDIDATE'::character varying)::text, ('RUNNING'::character varying)::text, ('COMPLETED'::character varying)::text, ('FAILED'::character varying)::text, ('ABANDONED'::character varying)::text]))),
    CONSTRAINT ck_execution_history_time_measure_known CHECK (((time_measure)::text = ANY (ARRAY[('makespan'::character varying)::text, ('slowest'::character varying)::text]))),
    CONSTRAINT ck_execution_history_timed_out_after_positive CHECK (((timed_out_after_s > (0)::double precision) AND (timed_out_after_s < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_trial_index_not_negative CHECK ((trial_index >= 0))
);
CREATE TABLE public.task_models (
    namespace character varying(255) NOT NULL,
    task_name character varying(255) NOT NULL,
    t_base_1 double precision,
    p_obs double precision,
    c_startup double precision,
    k_exponent double precision,
    alpha double precision NOT NULL,
    base_input_size double precision,
    sample_count integer DEFAULT 0 NOT NULL,
    last_updated timestamp with time zone,
    configuration json NOT NULL,
    hyperparameters json NOT NULL,
    version bigint DEFAULT '1'::bigint NOT NULL,
    next_trial_index integer DEFAULT 0 NOT NULL,
    CONSTRAINT ck_task_models_alpha_fraction CHECK (((alpha > (0)::double precision) AND (alpha <= (1)::double precision))),
    CONSTRAINT ck_task_models_base_input_size_positive CHECK (((base_input_size > (0)::double precision) AND (base_input_size < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_task_models_c_startup_not_negative CHECK (((c_startup >= (0)::double precision) AND (c_startup < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_task_models_k_exponent_finite CHECK (((k_exponent > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (k_exponent < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_task_models_next_trial_index_not_negative CHECK ((next_trial_index >= 0)),
    CONSTRAINT ck_task_models_p_obs_fraction CHECK (((p_obs >= (0)::double precision) AND (p_obs <= (1)::double precision))),
    CONSTRAINT ck_task_models_sample_count_not_negative CHECK ((sample_count >= 0)),
    CONSTRAINT ck_task_models_t_base_1_positive CHECK (((t_base_1 > (0)::double precision) AND (t_base_1 < ('2000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
);
INSERT INTO public.arbo_alembic_version VALUES ('0003');
INSERT INTO public.execution_history VALUES ('2d56c741-c583-46af-9963-3648247014a1', 'default', 'load_sales', 0, 'COMPLETED', 1, 2500000000, 1, 0, 100, 2, NULL, NULL, NULL, NULL, 'baseline', '2026-11-30 22:25:24.674018+00', '2026-11-30 22:25:24.674018+00', '2026-11-30 22:25:24.684637+00', NULL, NULL, NULL, '2026-01-01', NULL, '{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}', NULL, 'makespan', 1.5, 0, NULL, NULL, NULL);
INSERT INTO public.execution_history VALUES ('308ffeb2-cf20-4342-80a5-4adde11cce4b', 'default', 'load_sales', 1, 'COMPLETED', 5, 2500000000, 1, 0, 28, 2, NULL, NULL, NULL, NULL, 'probe', '2026-11-30 22:25:24.695803+00', '2026-11-30 22:25:24.695803+00', '2026-11-30 22:25:24.700899+00', NULL, NULL, NULL, '2026-01-05', NULL, '{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}', NULL, 'makespan', 1.5, 0, NULL, NULL, NULL);
INSERT INTO public.execution_history VALUES ('521ffe13-7e59-4f8a-b993-7024040b8b91', 'default', 'load_sales', 2, 'FAILED', 16, 3000000000, 1.2, 0, NULL, NULL, NULL, 18.81634797513404, 8.285450384571886, 'knowledge_gradient', 'optimize', '2026-11-30 22:25:24.766474+00', '2026-11-30 22:25:24.766474+00', '2026-11-30 22:25:24.773567+00', 90, 'exit status 1
no space', NULL, NULL, NULL, '{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.execution_history VALUES ('42868ff8-7254-4364-9599-459cd3b4ecc2', 'default', 'load_sales', 3, 'ABANDONED', 1, NULL, 1, 0, NULL, NULL, NULL, 303.25501755611117, 669.7581492312399, 'knowledge_gradient', 'optimize', '2026-11-30 22:25:24.846753+00', '2026-11-30 22:25:24.846753+00', '2026-11-30 22:25:24.853572+00', NULL, NULL, NULL, NULL, NULL, '{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.execution_history VALUES ('5f443252-2aa0-45cc-9575-e371c0132258', 'default', 'load_sales', 4, 'RUNNING', 1, NULL, 1, 0, NULL, NULL, NULL, 303.25505696183274, 669.7583148923915, 'knowledge_gradient', 'optimize', '2026-11-30 22:25:24.919371+00', '2026-11-30 22:25:24.919371+00', NULL, NULL, NULL, NULL, NULL, NULL, '{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}', '2026-12-01 22:25:24.920818+00', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.execution_history VALUES ('0449734c-dac2-4fc8-af77-daf2646db031', 'team ü', 'nightly', 0, 'COMPLETED', 1, NULL, 1, 0, 12, NULL, NULL, NULL, NULL, NULL, 'baseline', '2026-11-30 22:25:24.963859+00', '2026-11-30 22:25:24.963859+00', '2026-11-30 22:25:24.976964+00', NULL, NULL, NULL, NULL, NULL, '{"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}', NULL, NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.task_models VALUES ('team ü', 'nightly', NULL, NULL, NULL, NULL, 0.3, NULL, 1, '2026-11-30 22:25:24.982761+00', '{"format": 1, "parallelism": {"min": 1, "max": 32}, "default_parallelism": 5, "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": null}, "window": 50, "baseline": true, "residual": "multiplicative", "estimator": "gp", "mean": "amdahl", "strategy": {"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}, "lease_s": null}', '{}', 3, 1);
INSERT INTO public.task_models VALUES ('default', 'load_sales', 85.01901784250823, 0.8220656035737505, 1.9942678193107697, 1.1391223683996092, 0.3, 2500000000, 2, '2026-11-30 22:25:24.922719+00', '{"format": 1, "parallelism": {"min": 1, "max": 16}, "default_parallelism": 5, "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": null}, "window": 40, "baseline": true, "residual": "multiplicative", "estimator": "gp", "mean": "amdahl", "strategy": {"acquisition": "auto", "slo": [], "search": "all", "eta": 0.9, "pin": null, "dry_run": false, "guard": null, "like": null}, "lease_s": null}', '{"format": 1, "law": {"t1_s": 83.02475002319747, "p": 0.8220656035737505, "c_s": 1.9942678193107697, "k": 1.1391223683996092}, "outputscale": 0.035464914871665296, "lengthscales": [1.7260935349460087, 5.473371886990252, 0.44932896411722156], "noise": 0.08554859627795455, "residual": "multiplicative", "mean": "amdahl", "learned": {"log_t1": 4.419138756396459, "logit_p": 1.5304052786176978, "log_c": 0.6902769751136821, "k_exponent": 1.1391223683996092}}', 11, 5);
ALTER TABLE ONLY public.arbo_alembic_version
    ADD CONSTRAINT arbo_alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.execution_history
    ADD CONSTRAINT pk_execution_history PRIMARY KEY (trial_id);
ALTER TABLE ONLY public.task_models
    ADD CONSTRAINT pk_task_models PRIMARY KEY (namespace, task_name);
ALTER TABLE ONLY public.execution_history
    ADD CONSTRAINT uq_execution_history_namespace_task_name_trial_index UNIQUE (namespace, task_name, trial_index);
CREATE INDEX ix_execution_history_namespace_finished_at ON public.execution_history USING btree (namespace, finished_at);
CREATE UNIQUE INDEX ix_execution_history_namespace_task_name_idempotency_key ON public.execution_history USING btree (namespace, task_name, idempotency_key);
CREATE INDEX ix_execution_history_namespace_task_name_status_trial_index ON public.execution_history USING btree (namespace, task_name, status, trial_index);
CREATE INDEX ix_execution_history_running ON public.execution_history USING btree (namespace, status) WHERE ((status)::text = 'RUNNING'::text);
ALTER TABLE ONLY public.execution_history
    ADD CONSTRAINT fk_execution_history_task_models FOREIGN KEY (namespace, task_name) REFERENCES public.task_models(namespace, task_name) ON UPDATE CASCADE ON DELETE CASCADE;
