// A capture of a guest that has its RAM mapped from an image: the capture process (memory/capture.h) copies
// what the guest changed while it stands still, and writes it out when it runs again. QEMU only gives the
// state of its devices, so nothing of the guest waits for the process; it can be given up at any moment.
#pragma once

#include "memory/capture.h"
#include "memory/placed_blocks.h"
#include "os/fd.h"
#include "os/process.h"

#include <string>
#include <string_view>
#include <vector>

namespace domsnap::memory {

/// What is copied, and from where.
struct ChangedSource {
    std::string whole; ///< the image of which the guest's RAM is a private mapping
    os::ProcessId process;
    std::vector<PlacedBlock> blocks; ///< in that image's order
};

/// Bytes that a capture of it would have to copy by now. Throws as ForeignMemory.
uint64_t changed_bytes(const ChangedSource& source);

class ChangedCapture {
  public:
    /// Starts the process. Paths and identity as CaptureProcess::start has them.
    static ChangedCapture start(const ChangedSource& source, const std::string& image_path,
                                const ImageIdentity& identity, const std::string& log_path,
                                const std::string& parent, const std::string& status_path);
    /// Waits until it has all that it needs for a short copy. This and what follows throw what the process
    /// says went wrong, or timed_out.
    void await_ready(Deadline deadline);
    /// The guest stands still: it copies. Does not wait.
    void copy();
    /// Waits for it; then the guest may run.
    void await_copied(Deadline deadline);
    /// What QEMU's xen-save-devices-state wrote. The process needs its starter no more then.
    void give_device_state(std::string_view state);
    /// For who waits for the image.
    CaptureProcess take_process() { return std::move(process_); }

  private:
    ChangedCapture(CaptureProcess process, os::Fd socket)
        : process_(std::move(process)), socket_(std::move(socket)) {}
    void await(std::string_view word, Deadline deadline);

    CaptureProcess process_;
    os::Fd socket_;
};

/// The process's side: as capture_stream, but that the socket, which it closes, leads to a ChangedCapture.
CaptureResult capture_changed(int socket, const os::Fd& image, const std::string& image_path,
                              const ImageIdentity& identity, const Control& control,
                              const std::string& parent);

} // namespace domsnap::memory
