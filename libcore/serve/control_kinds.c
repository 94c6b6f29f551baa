/* The table of kinds. */
#include "serve/control.h"

#define F(what, ...) static const char *const what[] = {__VA_ARGS__, NULL}
#define TIMES        "creationDateTime", "lastUpdatedDateTime"
F(schema_fields, "name", "schemaArn", "schema", TIMES, "domain");
F(schema_summary, "name", "schemaArn", TIMES, "domain");
F(group_fields, "name", "datasetGroupArn", "status", "roleArn", "kmsKeyArn", TIMES,
  "failureReason", "domain");
F(group_summary, "name", "datasetGroupArn", "status", TIMES, "failureReason", "domain");
F(dataset_fields, "name", "datasetArn", "datasetGroupArn", "datasetType", "schemaArn",
  "status", TIMES, "latestDatasetUpdate", "trackingId");
F(dataset_summary, "name", "datasetArn", "datasetType", "status", TIMES);
F(import_fields, "jobName", "datasetImportJobArn", "datasetArn", "dataSource", "roleArn",
  "status", TIMES, "failureReason", "importMode", "publishAttributionMetricsToS3");
F(import_summary, "datasetImportJobArn", "jobName", "status", TIMES, "failureReason",
  "importMode");
F(solution_fields, "name", "solutionArn", "performHPO", "performAutoML",
  "performAutoTraining", "performIncrementalUpdate", "recipeArn", "datasetGroupArn",
  "eventType", "solutionConfig", "autoMLResult", "status", TIMES, "latestSolutionVersion",
  "latestSolutionUpdate");
F(solution_summary, "name", "solutionArn", "status", TIMES, "recipeArn");
F(version_fields, "name", "solutionVersionArn", "solutionArn", "performHPO",
  "performAutoML", "performIncrementalUpdate", "recipeArn", "eventType",
  "datasetGroupArn", "solutionConfig", "trainingHours", "trainingMode", "tunedHPOParams",
  "status", "failureReason", TIMES, "trainingType");
F(version_summary, "solutionVersionArn", "status", "trainingMode", "trainingType", TIMES,
  "failureReason");
F(campaign_fields, "name", "campaignArn", "solutionVersionArn", "minProvisionedTPS",
  "campaignConfig", "status", "failureReason", TIMES, "latestCampaignUpdate");
F(campaign_summary, "name", "campaignArn", "status", TIMES, "failureReason");
F(recommender_fields, "recommenderArn", "datasetGroupArn", "name", "recipeArn",
  "recommenderConfig", TIMES, "status", "failureReason", "latestRecommenderUpdate",
  "modelMetrics");
F(recommender_summary, "name", "recommenderArn", "datasetGroupArn", "recipeArn",
  "recommenderConfig", "status", TIMES);
F(attribution_fields, "name", "metricAttributionArn", "datasetGroupArn",
  "metricsOutputConfig", "status", TIMES, "failureReason");
F(attribution_summary, "name", "metricAttributionArn", "status", TIMES, "failureReason");
F(filter_fields, "name", "filterArn", TIMES, "datasetGroupArn", "failureReason",
  "filterExpression", "status");
F(filter_summary, "name", "filterArn", TIMES, "datasetGroupArn", "failureReason",
  "status");
F(tracker_fields, "name", "eventTrackerArn", "accountId", "trackingId", "datasetGroupArn",
  "status", TIMES);
F(tracker_summary, "name", "eventTrackerArn", "status", TIMES);
F(export_fields, "jobName", "datasetExportJobArn", "datasetArn", "ingestionMode",
  "roleArn", "status", "jobOutput", TIMES, "failureReason");
F(export_summary, "datasetExportJobArn", "jobName", "status", TIMES, "failureReason");
F(inference_fields, "jobName", "batchInferenceJobArn", "filterArn", "failureReason",
  "solutionVersionArn", "numResults", "jobInput", "jobOutput", "batchInferenceJobConfig",
  "roleArn", "batchInferenceJobMode", "status", TIMES);
F(inference_summary, "batchInferenceJobArn", "jobName", "status", TIMES, "failureReason",
  "solutionVersionArn", "batchInferenceJobMode");
F(segment_fields, "jobName", "batchSegmentJobArn", "filterArn", "failureReason",
  "solutionVersionArn", "numResults", "jobInput", "jobOutput", "roleArn", "status",
  TIMES);
F(segment_summary, "batchSegmentJobArn", "jobName", "status", TIMES, "failureReason",
  "solutionVersionArn");
F(deletion_fields, "jobName", "dataDeletionJobArn", "datasetGroupArn", "dataSource",
  "roleArn", "status", "numDeleted", TIMES, "failureReason");
F(deletion_summary, "dataDeletionJobArn", "datasetGroupArn", "jobName", "status", TIMES,
  "failureReason");

/* clang-format off */
const struct pz_kind pz_kinds[PZ_N_KINDS] = {
    [PZ_KIND_SCHEMA] = {"schema", "schema", "schemaArn", "name", "schema", "schemas",
        NULL, NULL, schema_fields, schema_summary, pz_make_schema, pz_drop_schema},
    [PZ_KIND_GROUP] = {"dataset-group", "dataset group", "datasetGroupArn", "name",
        "datasetGroup", "datasetGroups", NULL, NULL, group_fields, group_summary,
        pz_make_group, pz_drop_group},
    [PZ_KIND_DATASET] = {"dataset", "dataset", "datasetArn", "name", "dataset", "datasets",
        "datasetGroupArn", "datasetGroupArn", dataset_fields, dataset_summary,
        pz_make_dataset, pz_drop_dataset},
    [PZ_KIND_IMPORT] = {"dataset-import-job", "dataset import job", "datasetImportJobArn",
        "jobName", "datasetImportJob", "datasetImportJobs", "datasetArn", "datasetArn",
        import_fields, import_summary, pz_make_import, NULL},
    [PZ_KIND_SOLUTION] = {"solution", "solution", "solutionArn", "name", "solution",
        "solutions", "datasetGroupArn", "datasetGroupArn", solution_fields,
        solution_summary, pz_make_solution, pz_drop_solution},
    [PZ_KIND_VERSION] = {"solution", "solution version", "solutionVersionArn", "name",
        "solutionVersion", "solutionVersions", "solutionArn", "solutionArn",
        version_fields, version_summary, pz_make_version, NULL},
    [PZ_KIND_CAMPAIGN] = {"campaign", "campaign", "campaignArn", "name", "campaign",
        "campaigns", "solutionArn", "solutionVersionArn", campaign_fields,
        campaign_summary, pz_make_campaign, pz_drop_row},
    [PZ_KIND_RECOMMENDER] = {"recommender", "recommender", "recommenderArn", "name",
        "recommender", "recommenders", "datasetGroupArn", "datasetGroupArn",
        recommender_fields, recommender_summary, pz_make_recommender, pz_drop_recommender},
    [PZ_KIND_ATTRIBUTION] = {"metric-attribution", "metric attribution",
        "metricAttributionArn", "name", "metricAttribution", "metricAttributions",
        "datasetGroupArn", "datasetGroupArn", attribution_fields, attribution_summary,
        pz_make_attribution, pz_drop_attribution},
    [PZ_KIND_FILTER] = {"filter", "filter", "filterArn", "name", "filter", "Filters",
        "datasetGroupArn", "datasetGroupArn", filter_fields, filter_summary, pz_make_filter,
        pz_drop_row},
    [PZ_KIND_TRACKER] = {"event-tracker", "event tracker", "eventTrackerArn", "name",
        "eventTracker", "eventTrackers", "datasetGroupArn", "datasetGroupArn",
        tracker_fields, tracker_summary, pz_make_tracker, pz_drop_row},
    [PZ_KIND_EXPORT] = {"dataset-export-job", "dataset export job", "datasetExportJobArn",
        "jobName", "datasetExportJob", "datasetExportJobs", "datasetArn", "datasetArn",
        export_fields, export_summary, pz_make_export, NULL},
    [PZ_KIND_INFERENCE] = {"batch-inference-job", "batch inference job",
        "batchInferenceJobArn", "jobName", "batchInferenceJob", "batchInferenceJobs",
        "solutionVersionArn", "solutionVersionArn", inference_fields, inference_summary,
        pz_make_inference, NULL},
    [PZ_KIND_SEGMENT] = {"batch-segment-job", "batch segment job", "batchSegmentJobArn",
        "jobName", "batchSegmentJob", "batchSegmentJobs", "solutionVersionArn",
        "solutionVersionArn", segment_fields, segment_summary, pz_make_segment, NULL},
    [PZ_KIND_DELETION] = {"data-deletion-job", "data deletion job", "dataDeletionJobArn",
        "jobName", "dataDeletionJob", "dataDeletionJobs", "datasetGroupArn",
        "datasetGroupArn", deletion_fields, deletion_summary, pz_make_deletion, NULL},
};
/* clang-format on */
