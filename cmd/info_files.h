/*
 * info_files: the files of a group, for pz-info(1). A failure ends the process.
 */
#ifndef PZ_CMD_INFO_FILES_H
#define PZ_CMD_INFO_FILES_H

#include "data/dataset.h"
#include "infer/locate.h"

char *pz_info_dataset_path(const char *group, enum pz_set set); // new memory
void pz_info_each_model(const char *group, pz_locate_fn fn, void *ctx);
/* The message without the file's name in front, which stands beside it anyway; a view. */
const char *pz_info_message(const struct pz_err *err, const char *path);

#endif
