// The starter's side.
#include "memory/changed_capture.h"

#include "memory/changed_ram.h"
#include "memory/changed_words.h"
#include "os/socket.h"

#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

uint64_t changed_bytes(const ChangedSource& source) {
    return own_bytes(os::ForeignMemory(source.process), source.blocks);
}

ChangedCapture ChangedCapture::start(const ChangedSource& source, const std::string& image_path,
                                     const ImageIdentity& identity, const std::string& log_path,
                                     const std::string& parent, const std::string& status_path) {
    auto [ours, its] = os::make_socket_pair();
    auto process = CaptureProcess::start(std::move(its), image_path, identity, log_path, parent, status_path,
                                         CaptureSource::changed_ram);
    os::send_with_fd(ours, to_line(source), -1);
    return {std::move(process), std::move(ours)};
}

/// One that has ended instead has said why through its report.
void ChangedCapture::await(std::string_view word, Deadline deadline) {
    const auto said = SocketReader(socket_.get()).line(deadline);
    if (said == word) return;
    if (said) throw Error(ErrorCode::corrupt, fmt::format("the capture of the memory said '{}'", *said));
    process_.wait({}, 0, deadline);
    throw Error(ErrorCode::outcome_unknown, "the capture of the memory has ended");
}

void ChangedCapture::await_ready(Deadline deadline) { await(changed_words::ready, deadline); }

void ChangedCapture::copy() { os::send_with_fd(socket_, fmt::format("{}\n", changed_words::copy), -1); }

void ChangedCapture::await_copied(Deadline deadline) { await(changed_words::copied, deadline); }

void ChangedCapture::give_device_state(std::string_view state) {
    os::send_with_fd(socket_, fmt::format("{}{}\n", changed_words::state, state.size()), -1);
    os::send_with_fd(socket_, state, -1);
}

} // namespace domsnap::memory
