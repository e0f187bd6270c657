// The process that thaws a guest's file systems when the command that froze them has died or takes too long.
#include "agent/freeze.h"

int main(int argc, char** argv) { return domsnap::agent::thaw_main(argc, argv); }
