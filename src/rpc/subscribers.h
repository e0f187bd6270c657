// Who wants to hear of which events, and the events on their way to them. Knows nothing of where events come
// from.
#pragma once

#include "rpc/jobs.h"
#include "rpc/outlet.h"
#include "rpc/wire.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::rpc {

/// virDomainEventID, those that are sent here and the number of those that libvirt 9.0 knows.
enum class Event : int32_t { lifecycle = 0, reboot = 1, block_job = 8, block_job_2 = 16, job_completed = 21 };
inline constexpr int32_t event_count = 27;

/// virDomainEventType with virDomainEvent…DetailType.
struct Lifecycle {
    int32_t event = 0, detail = 0;
};

struct BlockJob {
    std::string disk, path;
    int32_t type = 0, status = 0; ///< virDomainBlockJobType, virConnectDomainEventBlockJobStatus
};

/// How a client registered decides how its events look on the wire.
enum class Style { callback, old_any, old_lifecycle };

class Subscribers {
  public:
    /// Returns the number by which it is taken off again. domain: of this one only.
    int32_t add(std::shared_ptr<Outlet> outlet, int32_t event, std::optional<Uuid> domain, Style style);
    /// False if that outlet has no such registration.
    bool remove(const std::shared_ptr<Outlet>& outlet, int32_t number);
    bool remove_old(const std::shared_ptr<Outlet>& outlet, int32_t event, Style style);
    void remove_all(const std::shared_ptr<Outlet>& outlet);
    size_t size() const;

    void lifecycle(const DomainRef& domain, Lifecycle what);
    void reboot(const DomainRef& domain);
    void block_job(const DomainRef& domain, const BlockJob& job);
    void job_completed(const DomainRef& domain, const JobParams& params);

  private:
    struct Entry {
        std::shared_ptr<Outlet> outlet;
        int32_t number = 0, event = 0;
        std::optional<Uuid> domain;
        Style style = Style::callback;
    };
    std::vector<Entry> wanting(Event event, const DomainRef& domain) const;

    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    int32_t next_ = 0;
};

} // namespace domsnap::rpc
