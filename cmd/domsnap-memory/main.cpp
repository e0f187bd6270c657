// The processes that must outlive the command that started them, so that neither Ctrl-C nor its end can come
// between QEMU and them: the one that turns a migration stream into a memory image, and the one that serves
// an image's pages to a guest that runs already.
#include "memory/capture_report.h"
#include "memory/page_process.h"
#include "qmp/commands.h"

#include <cstring>
#include <domsnap/error.h>

using namespace domsnap;

static void pause_guest(const std::string& monitor) {
    const Deadline deadline = Deadline::after(std::chrono::seconds(10));
    try {
        auto qemu = qmp::Client::connect(monitor, deadline);
        qmp::stop(qemu, deadline);
    } catch (const Error&) {
        // Then it stops by itself, at the first page that does not come.
    }
}

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "--serve") == 0)
        return memory::page_server_main(argc, argv, pause_guest);
    return memory::capture_main(argc, argv);
}
