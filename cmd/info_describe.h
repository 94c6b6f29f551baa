/*
 * info_describe: what pz-info(1) says of a file or a group when it is asked for nothing
 * else.
 */
#ifndef PZ_CMD_INFO_DESCRIBE_H
#define PZ_CMD_INFO_DESCRIBE_H

/*
 * Prints the description, as JSON where --json asks for it. What cannot be read within a
 * group is told in its place: the highest status of these is returned. A file that is not
 * what it should be, or no memory, ends the process.
 */
void pz_describe_file(const char *path);
int pz_describe_group(const char *group);

#endif
