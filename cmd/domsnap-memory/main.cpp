// The processes that must outlive the command that started them, so that neither Ctrl-C nor its end can come
// between QEMU and them: the one that turns a migration stream into a memory image, the one that serves an
// image's pages to a guest that runs already, and the one that watches over that.
#include "memory/capture_report.h"
#include "memory/page_process.h"
#include "qmp/commands.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <domsnap/error.h>
#include <memory>
#include <thread>

using namespace domsnap;
using namespace std::chrono_literals;

static void pause_guest(const std::string& monitor) {
    const Deadline deadline = Deadline::after(10s);
    try {
        auto qemu = qmp::Client::connect(monitor, deadline);
        qmp::stop(qemu, deadline);
    } catch (const Error&) {
        // Then it stops by itself, at the first page that does not come.
    }
}

/// Whether QEMU says that it has all. Asked seldom: a main loop that waits for a page answers nothing, and a
/// queue of eight questions would keep out the one that goes past it.
static bool has_all(qmp::Client& qemu) {
    try {
        return qmp::query_migrate(qemu, Deadline::after(500ms)).status == "completed";
    } catch (const Error&) {
        return false;
    }
}

/// Out of band, again and again until QEMU has noticed that its source is gone.
static os::Fd next_end(qmp::Client& qemu, const std::string& listen, const std::string& uri_path) {
    for (int question = 0; question < 5; ++question) {
        for (const Deadline patience = Deadline::after(3s); !patience.passed();) {
            try {
                return qmp::recover_incoming(qemu, listen, uri_path, Deadline::after(20s));
            } catch (const Error& error) {
                if (error.code() != ErrorCode::refused_by_qemu) throw;
            }
            std::this_thread::sleep_for(10ms);
        }
        if (has_all(qemu)) break;
    }
    return {}; // the next command finds out what became of it
}

/// Connected before the first page is served: later QEMU's main loop may be waiting for one, and then nobody
/// new is let in. Without the monitor the server goes unwatched.
static memory::Reconnect guard(const std::string& monitor, const std::string& listen,
                               const std::string& uri_path) {
    try {
        const auto qemu = std::make_shared<qmp::Client>(qmp::Client::connect(monitor, Deadline::after(2s)));
        return [=] { return next_end(*qemu, listen, uri_path); };
    } catch (const Error& error) {
        std::fprintf(stderr, "domsnap-memory: nobody watches over the page server: %s\n", error.what());
        return {};
    }
}

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "--serve") == 0)
        return memory::page_server_main(argc, argv, pause_guest);
    if (argc > 1 && std::strcmp(argv[1], "--supervise") == 0)
        return memory::page_supervisor_main(argc, argv, guard);
    return memory::capture_main(argc, argv);
}
