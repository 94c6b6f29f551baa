/* Runs the suite of one test file; see pz_suite() there. */
#include <check.h>
#include <stdlib.h>

#include "unit.h"

int
main(void)
{
    SRunner *runner = srunner_create(pz_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
