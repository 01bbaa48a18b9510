SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.arbo_alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.execution_history (
    id character varying(36) NOT NULL,
    namespace character varying(255) NOT NULL,
    task_name character varying(255) NOT NULL,
    trial_index integer NOT NULL,
    status character varying(16) NOT NULL,
    parallelism integer NOT NULL,
    input_size double precision,
    input_scale_factor double precision DEFAULT '1'::double precision NOT NULL,
    cluster_load double precision,
    execution_time double precision,
    startup_time double precision,
    residual double precision,
    predicted_mean double precision,
    predicted_std double precision,
    acquisition character varying(255),
    phase character varying(16) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    timed_out_after double precision,
    failure_reason text,
    CONSTRAINT ck_execution_history_cluster_load_not_negative CHECK (((cluster_load >= (0)::double precision) AND (cluster_load < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_completed_has_time CHECK ((((status)::text <> 'COMPLETED'::text) OR (execution_time IS NOT NULL))),
    CONSTRAINT ck_execution_history_execution_time_positive CHECK (((execution_time > (0)::double precision) AND (execution_time < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_input_scale_factor_positive CHECK (((input_scale_factor > (0)::double precision) AND (input_scale_factor < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_input_size_positive CHECK (((input_size > (0)::double precision) AND (input_size < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_parallelism_positive CHECK ((parallelism >= 1)),
    CONSTRAINT ck_execution_history_startup_time_not_negative CHECK (((startup_time >= (0)::double precision) AND (startup_time < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_execution_history_status_known CHECK (((status)::text = ANY ((ARRAY['CANDIDATE'::character varying, 'RUNNING'::character varying, 'COMPLETED'::character varying, 'FAILED'::character varying, 'ABANDONED'::character varying])::text[]))),
    CONSTRAINT ck_execution_history_timed_out_after_positive CHECK (((timed_out_after > (0)::double precision) AND (timed_out_after < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
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
INSERT INTO public.arbo_alembic_version VALUES ('0001');
INSERT INTO public.execution_history VALUES ('cc29bd24-f653-441b-850a-767912475270', 'default', 'load_sales', 0, 'COMPLETED', 1, 2500000000, 1, 0, 100, 1.5, NULL, NULL, NULL, NULL, 'baseline', '2026-11-21 09:36:31.696666+00', '2026-11-21 09:36:31.696666+00', '2026-11-21 09:36:31.71244+00', NULL, NULL);
INSERT INTO public.execution_history VALUES ('9ac00f4d-a057-4710-93ef-d203d654496f', 'default', 'load_sales', 1, 'COMPLETED', 5, 2500000000, 1, 0, 28, 1.5, NULL, NULL, NULL, NULL, 'probe', '2026-11-21 09:36:31.749003+00', '2026-11-21 09:36:31.749003+00', '2026-11-21 09:36:31.786456+00', NULL, NULL);
INSERT INTO public.execution_history VALUES ('3a9c4853-730f-4952-b5f9-c6279eed6f37', 'default', 'load_sales', 2, 'FAILED', 9, 3000000000, 1.2, 0, NULL, NULL, NULL, 23.69781376108015, 1.5462515218332107, 'expected_cost', 'optimize', '2026-11-21 09:36:31.906961+00', '2026-11-21 09:36:31.906961+00', '2026-11-21 09:36:31.9348+00', 60, 'exit status 1
no space');
INSERT INTO public.execution_history VALUES ('d92873a7-a84f-4828-9745-e8f92221f45b', 'default', 'load_sales', 3, 'ABANDONED', 9, NULL, 1, 0, NULL, NULL, NULL, 19.99873904415675, 1.2932780691603802, 'expected_cost', 'optimize', '2026-11-21 09:36:31.991158+00', '2026-11-21 09:36:31.991158+00', '2026-11-21 09:36:32.00932+00', NULL, 'stopped');
INSERT INTO public.execution_history VALUES ('3929c85b-d117-44d1-8287-23cc186a52ab', 'default', 'load_sales', 4, 'RUNNING', 9, 3000000000, 1.2, 0, NULL, NULL, NULL, 23.69781123893893, 1.546251234848292, 'expected_cost', 'optimize', '2026-11-21 09:36:32.095786+00', '2026-11-21 09:36:32.095786+00', NULL, NULL, NULL);
INSERT INTO public.execution_history VALUES ('eb1d3986-5dcf-4ada-9816-a6b95adf1e5c', 'team ü', 'nightly', 0, 'COMPLETED', 4, NULL, 1, NULL, 12, NULL, NULL, NULL, NULL, NULL, 'attached', '2026-11-21 09:36:32.16516+00', NULL, '2026-11-21 09:36:32.16516+00', NULL, NULL);
INSERT INTO public.task_models VALUES ('default', 'load_sales', 100.14358603062018, 0.9147505807747095, 1.5013640751197648, 1, 0.3, 2500000000, 2, '2026-11-21 09:36:32.117713+00', '{"format": 1, "parallelism": {"min": 1, "max": 16}, "default_parallelism": 5, "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": null}, "window": 40, "baseline": true, "residual": "multiplicative", "estimator": "gp"}', '{"format": 1, "law": {"t1_s": 98.64222195550042, "p": 0.9147505807747095, "c_s": 1.5013640751197648, "k": 1.0}, "outputscale": 0.006107306021933255, "lengthscales": [0.8510806098042514, 1.2336820230629468, 0.2490761047690112], "noise": 0.0008155076595367635, "residual": "multiplicative"}', 11, 5);
INSERT INTO public.task_models VALUES ('team ü', 'nightly', NULL, NULL, NULL, NULL, 0.3, NULL, 1, '2026-11-21 09:36:32.182494+00', '{"format": 1, "parallelism": {"min": 1, "max": 32}, "default_parallelism": 5, "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": null}, "window": 50, "baseline": true, "residual": "multiplicative", "estimator": "gp"}', '{}', 3, 1);
ALTER TABLE ONLY public.arbo_alembic_version
    ADD CONSTRAINT arbo_alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.execution_history
    ADD CONSTRAINT pk_execution_history PRIMARY KEY (id);
ALTER TABLE ONLY public.task_models
    ADD CONSTRAINT pk_task_models PRIMARY KEY (namespace, task_name);
ALTER TABLE ONLY public.execution_history
    ADD CONSTRAINT uq_execution_history_namespace_task_name_trial_index UNIQUE (namespace, task_name, trial_index);
CREATE INDEX ix_execution_history_namespace_task_name_status_trial_index ON public.execution_history USING btree (namespace, task_name, status, trial_index);
CREATE INDEX ix_execution_history_running ON public.execution_history USING btree (namespace) WHERE ((status)::text = 'RUNNING'::text);
ALTER TABLE ONLY public.execution_history
    ADD CONSTRAINT fk_execution_history_task_models FOREIGN KEY (namespace, task_name) REFERENCES public.task_models(namespace, task_name) ON UPDATE CASCADE ON DELETE CASCADE;
