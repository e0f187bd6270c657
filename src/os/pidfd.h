// glibc 2.36's <sys/pidfd.h> forgets extern "C"; later ones have it, and a second one does no harm.
#pragma once

extern "C" {
#include <sys/pidfd.h>
}
