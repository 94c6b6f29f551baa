/* What requests to the control plane must look like. */
#include "serve/control.h"

static const struct pz_shape token = {.kind = PZ_SHAPE_STRING, .max = 1500};
static const struct pz_shape page = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = 100};
static const struct pz_shape role = {.kind = PZ_SHAPE_STRING, .max = 256};
static const struct pz_shape kms = {.kind = PZ_SHAPE_STRING, .max = 2048};
static const struct pz_shape results = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = 2147483647};
static const struct pz_shape schema_text = {.kind = PZ_SHAPE_STRING, .max = 20000};
static const struct pz_shape expression = {
    .kind = PZ_SHAPE_STRING, .min = 1, .max = 2500};
static const struct pz_shape set_name = {
    .kind = PZ_SHAPE_STRING, .max = 256, .pattern = &pz_pattern_word};
static const struct pz_shape value = {.kind = PZ_SHAPE_STRING, .max = 1000};
static const struct pz_shape column = {.kind = PZ_SHAPE_STRING, .max = 150};
static const struct pz_shape share = {
    .kind = PZ_SHAPE_NUMBER, .bounded = true, .min = 0, .max = 1};
static const struct pz_shape path = {.kind = PZ_SHAPE_STRING, .min = 1, .max = 256};
static const struct pz_shape tag_key = {.kind = PZ_SHAPE_STRING, .min = 1, .max = 128};
static const struct pz_shape tag_value = {.kind = PZ_SHAPE_STRING, .max = 256};
static const struct pz_shape tag_keys = {
    .kind = PZ_SHAPE_LIST, .max = 200, .item = &tag_key};
static const struct pz_shape params = {
    .kind = PZ_SHAPE_MAP, .max = 100, .key = &pz_shape_string, .item = &value};

#define WORDS(what, ...)                                                                 \
    static const char *const what##_values[] = {__VA_ARGS__, NULL};                      \
    static const struct pz_shape what = {.kind = PZ_SHAPE_STRING, .values = what##_values}
WORDS(domain, "ECOMMERCE", "VIDEO_ON_DEMAND");
WORDS(provider, "SERVICE");
WORDS(import_mode, "FULL", "INCREMENTAL");
WORDS(training_mode, "FULL", "UPDATE", "AUTOTRAIN");
WORDS(sensitivity, "LOW", "MEDIUM", "HIGH", "OFF");
WORDS(ingestion, "BULK", "PUT", "ALL");
WORDS(inference_mode, "BATCH_INFERENCE", "THEME_GENERATION");
WORDS(influence, "POPULARITY", "FRESHNESS");

#define MAY(name, shape)                                                                 \
    {                                                                                    \
        name, &shape, false                                                              \
    }
#define MUST(name, shape)                                                                \
    {                                                                                    \
        name, &shape, true                                                               \
    }
#define END                                                                              \
    {                                                                                    \
        NULL, NULL, false                                                                \
    }
#define STRUCT(what, ...)                                                                \
    static const struct pz_member what##_members[] = {__VA_ARGS__, END};                 \
    static const struct pz_shape what = {.kind = PZ_SHAPE_STRUCT,                        \
                                         .member = what##_members}
#define BODY(what, ...)                                                                  \
    static const struct pz_member what##_body[] = {__VA_ARGS__, END};                    \
    const struct pz_shape pz_shape_##what = {.kind = PZ_SHAPE_STRUCT,                    \
                                             .member = what##_body}
#define LIST(what, of, most)                                                             \
    static const struct pz_shape what = {.kind = PZ_SHAPE_LIST, .max = most, .item = &of}

/* clang-format off */
STRUCT(tag, MUST("tagKey", tag_key), MUST("tagValue", tag_value));
LIST(tags, tag, 200);
STRUCT(s3, MUST("path", path), MAY("kmsKeyArn", kms));
STRUCT(source, MAY("dataLocation", path));
STRUCT(s3_source, MUST("s3DataSource", s3));
STRUCT(s3_target, MUST("s3DataDestination", s3));
STRUCT(event, MAY("eventType", pz_shape_string), MAY("eventValueThreshold", pz_shape_number),
       MAY("weight", share));
LIST(event_list, event, 10);
STRUCT(events, MAY("eventParametersList", event_list));
STRUCT(objective, MAY("itemAttribute", column), MAY("objectiveSensitivity", sensitivity));
STRUCT(auto_training, MAY("schedulingExpression", column));
static const struct pz_shape columns = {.kind = PZ_SHAPE_LIST, .max = 50, .item = &column};
static const struct pz_shape set_columns = {
    .kind = PZ_SHAPE_MAP, .max = 3, .key = &set_name, .item = &columns};
STRUCT(training_data, MAY("excludedDatasetColumns", set_columns),
       MAY("includedDatasetColumns", set_columns));
STRUCT(range, MAY("name", pz_shape_string), MAY("minValue", pz_shape_number),
       MAY("maxValue", pz_shape_number));
LIST(ranges, range, 100);
LIST(values, value, 100);
STRUCT(choice, MAY("name", pz_shape_string), MAY("values", values));
LIST(choices, choice, 100);
STRUCT(hpo_ranges, MAY("integerHyperParameterRanges", ranges),
       MAY("continuousHyperParameterRanges", ranges),
       MAY("categoricalHyperParameterRanges", choices));
STRUCT(hpo_resource, MAY("maxNumberOfTrainingJobs", pz_shape_string),
       MAY("maxParallelTrainingJobs", pz_shape_string));
STRUCT(hpo_objective, MAY("type", pz_shape_string), MAY("metricName", pz_shape_string),
       MAY("metricRegex", pz_shape_string));
STRUCT(hpo, MAY("hpoObjective", hpo_objective), MAY("hpoResourceConfig", hpo_resource),
       MAY("algorithmHyperParameterRanges", hpo_ranges));
LIST(recipes, pz_shape_arn, 100);
STRUCT(auto_ml, MAY("metricName", pz_shape_string), MAY("recipeList", recipes));
STRUCT(solution_config, MAY("eventValueThreshold", pz_shape_string), MAY("hpoConfig", hpo),
       MAY("algorithmHyperParameters", params), MAY("featureTransformationParameters", params),
       MAY("autoMLConfig", auto_ml), MAY("eventsConfig", events),
       MAY("optimizationObjective", objective), MAY("trainingDataConfig", training_data),
       MAY("autoTrainingConfig", auto_training));
STRUCT(solution_update, MAY("autoTrainingConfig", auto_training), MAY("eventsConfig", events));
static const struct pz_shape ranking = {
    .kind = PZ_SHAPE_MAP, .max = 2, .key = &influence, .item = &share};
STRUCT(campaign_config, MAY("itemExplorationConfig", params),
       MAY("enableMetadataWithRecommendations", pz_shape_boolean),
       MAY("syncWithLatestSolutionVersion", pz_shape_boolean),
       MAY("rankingInfluence", ranking));
STRUCT(recommender_config, MAY("itemExplorationConfig", params),
       MAY("minRecommendationRequestsPerSecond", results),
       MAY("trainingDataConfig", training_data),
       MAY("enableMetadataWithRecommendations", pz_shape_boolean));
STRUCT(metric, MUST("eventType", pz_shape_string), MUST("metricName", pz_shape_string),
       MUST("expression", pz_shape_string));
LIST(metrics, metric, 10);
LIST(metric_names, pz_shape_string, 10);
STRUCT(metrics_output, MAY("s3DataDestination", s3), MUST("roleArn", role));
STRUCT(inference_config, MAY("itemExplorationConfig", params),
       MAY("rankingInfluence", ranking));
STRUCT(theme_fields, MUST("itemName", column));
STRUCT(themes, MUST("fieldsForThemeGeneration", theme_fields));

BODY(create_schema, MUST("name", pz_shape_name), MUST("schema", schema_text),
     MAY("domain", domain));
BODY(create_group, MUST("name", pz_shape_name), MAY("roleArn", role), MAY("kmsKeyArn", kms),
     MAY("domain", domain), MAY("tags", tags));
BODY(create_dataset, MUST("name", pz_shape_name), MUST("schemaArn", pz_shape_arn),
     MUST("datasetGroupArn", pz_shape_arn), MUST("datasetType", set_name), MAY("tags", tags));
BODY(create_import, MUST("jobName", pz_shape_name), MUST("datasetArn", pz_shape_arn),
     MUST("dataSource", source), MAY("roleArn", role), MAY("tags", tags),
     MAY("importMode", import_mode), MAY("publishAttributionMetricsToS3", pz_shape_boolean));
BODY(create_solution, MUST("name", pz_shape_name), MAY("performHPO", pz_shape_boolean),
     MAY("performAutoML", pz_shape_boolean), MAY("performAutoTraining", pz_shape_boolean),
     MAY("performIncrementalUpdate", pz_shape_boolean), MAY("recipeArn", pz_shape_arn),
     MUST("datasetGroupArn", pz_shape_arn), MAY("eventType", pz_shape_string),
     MAY("solutionConfig", solution_config), MAY("tags", tags));
BODY(create_version, MAY("name", pz_shape_name), MUST("solutionArn", pz_shape_arn),
     MAY("trainingMode", training_mode), MAY("tags", tags));
BODY(create_campaign, MUST("name", pz_shape_name), MUST("solutionVersionArn", pz_shape_arn),
     MAY("minProvisionedTPS", results), MAY("campaignConfig", campaign_config),
     MAY("tags", tags));
BODY(update_campaign, MUST("campaignArn", pz_shape_arn),
     MAY("solutionVersionArn", pz_shape_arn), MAY("minProvisionedTPS", results),
     MAY("campaignConfig", campaign_config));
BODY(update_dataset, MUST("datasetArn", pz_shape_arn), MUST("schemaArn", pz_shape_arn));
BODY(update_solution, MUST("solutionArn", pz_shape_arn),
     MAY("performAutoTraining", pz_shape_boolean),
     MAY("performIncrementalUpdate", pz_shape_boolean),
     MAY("solutionUpdateConfig", solution_update));
BODY(create_recommender, MUST("name", pz_shape_name), MUST("datasetGroupArn", pz_shape_arn),
     MUST("recipeArn", pz_shape_arn), MAY("recommenderConfig", recommender_config),
     MAY("tags", tags));
BODY(update_recommender, MUST("recommenderArn", pz_shape_arn),
     MUST("recommenderConfig", recommender_config));
BODY(create_attribution, MUST("name", pz_shape_name), MUST("datasetGroupArn", pz_shape_arn),
     MUST("metrics", metrics), MUST("metricsOutputConfig", metrics_output));
BODY(update_attribution, MAY("metricAttributionArn", pz_shape_arn),
     MAY("addMetrics", metrics), MAY("removeMetrics", metric_names),
     MAY("metricsOutputConfig", metrics_output));
BODY(list_metrics, MAY("metricAttributionArn", pz_shape_arn), MAY("nextToken", token),
     MAY("maxResults", page));
BODY(create_filter, MUST("name", pz_shape_name), MUST("datasetGroupArn", pz_shape_arn),
     MUST("filterExpression", expression), MAY("tags", tags));
BODY(create_tracker, MUST("name", pz_shape_name), MUST("datasetGroupArn", pz_shape_arn),
     MAY("tags", tags));
BODY(create_export, MUST("jobName", pz_shape_name), MUST("datasetArn", pz_shape_arn),
     MAY("ingestionMode", ingestion), MUST("roleArn", role), MUST("jobOutput", s3_target),
     MAY("tags", tags));
BODY(create_inference, MUST("jobName", pz_shape_name),
     MUST("solutionVersionArn", pz_shape_arn), MAY("filterArn", pz_shape_arn),
     MAY("numResults", results), MUST("jobInput", s3_source), MUST("jobOutput", s3_target),
     MUST("roleArn", role), MAY("batchInferenceJobConfig", inference_config),
     MAY("tags", tags), MAY("batchInferenceJobMode", inference_mode),
     MAY("themeGenerationConfig", themes));
BODY(create_segment, MUST("jobName", pz_shape_name),
     MUST("solutionVersionArn", pz_shape_arn), MAY("filterArn", pz_shape_arn),
     MAY("numResults", results), MUST("jobInput", s3_source), MUST("jobOutput", s3_target),
     MUST("roleArn", role), MAY("tags", tags));
BODY(create_deletion, MUST("jobName", pz_shape_name), MUST("datasetGroupArn", pz_shape_arn),
     MUST("dataSource", source), MUST("roleArn", role), MAY("tags", tags));
BODY(list_recipes, MAY("recipeProvider", provider), MAY("nextToken", token),
     MAY("maxResults", page), MAY("domain", domain));
BODY(list, MAY("datasetGroupArn", pz_shape_arn), MAY("datasetArn", pz_shape_arn),
     MAY("solutionArn", pz_shape_arn), MAY("solutionVersionArn", pz_shape_arn),
     MAY("nextToken", token), MAY("maxResults", page));
BODY(tag, MUST("resourceArn", pz_shape_arn), MUST("tags", tags));
BODY(untag, MUST("resourceArn", pz_shape_arn), MUST("tagKeys", tag_keys));
/* Which one an operation needs is known to the kind. */
BODY(arns, MAY("schemaArn", pz_shape_arn), MAY("datasetGroupArn", pz_shape_arn),
     MAY("datasetArn", pz_shape_arn), MAY("datasetImportJobArn", pz_shape_arn),
     MAY("solutionArn", pz_shape_arn), MAY("solutionVersionArn", pz_shape_arn),
     MAY("campaignArn", pz_shape_arn), MAY("recommenderArn", pz_shape_arn),
     MAY("filterArn", pz_shape_arn), MAY("metricAttributionArn", pz_shape_arn),
     MAY("eventTrackerArn", pz_shape_arn), MAY("datasetExportJobArn", pz_shape_arn),
     MAY("batchInferenceJobArn", pz_shape_arn), MAY("batchSegmentJobArn", pz_shape_arn),
     MAY("dataDeletionJobArn", pz_shape_arn), MAY("recipeArn", pz_shape_arn),
     MAY("algorithmArn", pz_shape_arn), MAY("featureTransformationArn", pz_shape_arn),
     MAY("resourceArn", pz_shape_arn));
/* clang-format on */
