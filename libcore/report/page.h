/* page: what is the same in every HTML page. */
#ifndef PZ_REPORT_PAGE_H
#define PZ_REPORT_PAGE_H

extern const char pz_page_head[]; // up to and with <body>
extern const char pz_page_foot[];

#endif
