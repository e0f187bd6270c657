// The process that carries a snapshot on when its command has returned (snapshot-create --no-wait).
#include "engine/finish.h"

int main(int argc, char** argv) { return domsnap::engine::finish_main(argc, argv); }
