// What each domain is, kept until something of it changes: for a server, which is asked a thousand times a
// second. Whether anything did costs one system call; a QEMU is only asked when its events, its files or its
// end say that it may be in another state, or when five seconds have passed. Any number of threads may ask.
#pragma once

#include "engine/domain_changes.h"
#include "engine/domain_state.h"

#include <condition_variable>
#include <domsnap/host.h>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::engine {

class KeptStates {
  public:
    explicit KeptStates(Folders folders);
    std::vector<DomainInfo> list(); ///< those that run and those that do not, by name
    DomainInfo info(const std::string& given);
    /// For others in this process who want to know.
    DomainChanges& changes() { return changes_; }

  private:
    using Clock = Deadline::Clock;
    using Lock = std::unique_lock<std::mutex>;
    /// One look at a domain, and up to which of its changes it holds.
    struct Look {
        uint64_t at_change = 0;
        DomainInfo info;
        std::exception_ptr error;
        Clock::time_point until; ///< longer than that it is not believed
    };
    struct Domain {
        std::string name;
        uint64_t changes = 1;
        bool looking = false;
        std::shared_ptr<const Look> last;
    };
    using KeptDomain = std::shared_ptr<Domain>;

    std::optional<DomainInfo> find(const std::string& given);
    void catch_up();
    void list_names();
    KeptDomain known(const std::string& given) const;
    std::shared_ptr<const Look> state_of(Lock& lock, const KeptDomain& domain);
    std::shared_ptr<const Look> look(Lock& lock, Domain& domain);
    void look_closely(Lock& lock, const Domain& domain, Look& look);

    Folders folders_;
    DomainChanges changes_;
    std::mutex mutex_; ///< of all that follows; never held while somebody looks
    std::condition_variable looked_;
    DomainChanges::Reader unread_{changes_};
    bool all_watched_ = false;      ///< else nothing is kept
    Clock::time_point names_until_; ///< when the names are looked at anew
    std::vector<KeptDomain> domains_;
    std::map<std::string, KeptDomain> by_name_;
    std::map<std::string, std::string> names_; ///< by UUID; a domain's definition says whether it is right
};

} // namespace domsnap::engine
