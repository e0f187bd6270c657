// A migration to or from a descriptor, in a thread of its own, so that the monitor goes on answering.
#pragma once

#include "os/fd.h"
#include "ram.h"

#include <memory>
#include <optional>
#include <thread>

namespace fake {

class Migration {
  public:
    Migration();
    ~Migration(); ///< does not wait for a thread that hangs in its descriptor: the process is about to end

    bool active() const { return status == "setup" || status == "active"; }
    void send(domsnap::os::Fd fd, Ram ram, StreamState state, bool background, bool disk_full);
    /// store: as of read_stream(), called in the thread.
    using Store = std::function<void(uint64_t offset, const std::string& page)>;
    void receive(domsnap::os::Fd fd, const RamBlock& block, const std::string& machine, Store store);
    void cancel() { shared_->cancelled = true; }
    int done_fd() const; ///< readable when the thread has ended
    /// Once, after it ended; empty words = success.
    std::string collect();
    const StreamState& received_state() const { return shared_->state; }
    Json describe() const; ///< the answer to query-migrate

    std::string status; ///< "" = there was none
    std::string error;

  private:
    struct Shared {
        Ram ram;
        StreamState state;
        StreamProgress progress;
        std::atomic<bool> cancelled{false};
        std::string error;
        domsnap::os::Fd fd, done;
    };
    void run(const std::function<void(Shared&)>& body);
    static void put(Shared& shared, const std::string& bytes);
    static std::string get(Shared& shared, size_t size);

    std::shared_ptr<Shared> shared_;
};

} // namespace fake
