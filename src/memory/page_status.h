// How far the background loading of a guest's memory has come: one small file in the domain's run-time
// folder, written by the page server and read by everybody. Format: docs/formats/page-status.md.
#pragma once

#include "os/process.h"

#include <cstdint>
#include <optional>
#include <string>

namespace domsnap::memory {

struct PageStatus {
    enum class State {
        loading,  ///< while its server or its supervisor lives; else both were killed, and can be started
                  ///< again
        complete, ///< the guest has all of its memory
        damaged,  ///< a page is not what was saved: the guest stands still for ever
        failed    ///< the server gave up for another reason, and can be started again
    } state = State::loading;
    std::string image, error;     ///< error: in the user's words, of damaged and failed
    uint64_t done = 0, total = 0; ///< bytes of data
    os::ProcessId server;
    os::ProcessId supervisor; ///< starts another server when that one is killed; pid 0: nobody does

    /// Whether somebody sends the rest.
    bool goes_on() const {
        return state == State::loading && (os::is_alive(server) || os::is_alive(supervisor));
    }
};

/// Nothing if there is no such file; an Error (corrupt, unsupported) for one that cannot be read.
std::optional<PageStatus> read_page_status(const std::string& path);
void write_page_status(const std::string& path, const PageStatus& status);

} // namespace domsnap::memory
