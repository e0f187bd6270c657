// The process that turns one migration stream into one memory image. It is a program of its own, so that
// neither Ctrl-C nor the end of the command that started it can come between QEMU and its reader.
#include "memory/capture_report.h"

int main(int argc, char** argv) { return domsnap::memory::capture_main(argc, argv); }
