#include "engine/kept_states.h"

#include "base/error.h"
#include "base/uuid.h"
#include "os/file.h"

#include <algorithm>
#include <exception>

namespace domsnap::engine {

/// For what leaves no trace: a run-time folder whose file system is full takes no events of QEMU's.
static constexpr std::chrono::seconds longest{5};

KeptStates::KeptStates(Folders folders) : folders_(std::move(folders)), changes_(folders_) {}

void KeptStates::catch_up() {
    const auto changed = unread_.take();
    for (const auto& domain : domains_)
        if (changed.all || changed.domains.contains(domain->name)) ++domain->changes;
    if (changed.all || changed.names) names_until_ = {}; // until they have been listed, should that fail
    if (Clock::now() >= names_until_) list_names();
}

void KeptStates::list_names() {
    all_watched_ = changes_.watch_all(); // before the look: what comes in between is told the next time
    const auto names = store::domain_names(folders_.state);
    domains_.clear();
    std::map<std::string, KeptDomain> by_name;
    for (const auto& name : names) {
        auto domain = known(name);
        if (!domain) domain = std::make_shared<Domain>(Domain{.name = name, .last = {}});
        domains_.push_back(by_name[name] = std::move(domain));
    }
    by_name_ = std::move(by_name);
    std::erase_if(names_, [&](const auto& one) { return !by_name_.contains(one.second); });
    names_until_ = Clock::now() + longest;
}

/// The domain that has that name, or had that UUID when it was last looked at.
KeptStates::KeptDomain KeptStates::known(const std::string& given) const {
    auto found = by_name_.find(given);
    if (found == by_name_.end())
        if (const auto uuid = canonical_uuid(given))
            if (const auto name = names_.find(*uuid); name != names_.end())
                found = by_name_.find(name->second);
    return found == by_name_.end() ? nullptr : found->second;
}

void KeptStates::look_closely(Lock& lock, const Domain& domain, Look& look) {
    const View view(folders_, domain.name);
    const auto& uuid = view.definition().uuid;
    lock.lock();
    names_[uuid] = domain.name;
    bool lasts = changes_.watch(domain.name, uuid); // from before we look
    lock.unlock();
    auto seen = look_at(view);
    lock.lock();
    lasts = lasts && seen.answered && (!seen.process || changes_.watch(domain.name, *seen.process));
    lock.unlock();
    look.info = std::move(seen.info);
    if (lasts) look.until = Clock::now() + longest;
}

std::shared_ptr<const KeptStates::Look> KeptStates::look(Lock& lock, Domain& domain) {
    auto look = std::make_shared<Look>();
    look->at_change = domain.changes;
    domain.looking = true;
    lock.unlock();
    try {
        look_closely(lock, domain, *look);
    } catch (...) {
        if (lock) lock.unlock();
        look->error = std::current_exception();
    }
    lock.lock();
    domain.looking = false;
    domain.last = look;
    looked_.notify_all();
    return look;
}

/// As it is now, or was at some moment since the question was asked. Who finds somebody looking waits for
/// what that one sees: QEMU serves one client at a time.
std::shared_ptr<const KeptStates::Look> KeptStates::state_of(Lock& lock, const KeptDomain& domain) {
    const auto wanted = domain->changes;
    const auto before = domain->last;
    for (;;) {
        const auto& last = domain->last;
        const bool holds = last && (last != before || last->until > Clock::now());
        if (holds && last->at_change >= wanted) return last;
        if (!domain->looking) return look(lock, *domain);
        looked_.wait(lock);
    }
}

std::vector<DomainInfo> KeptStates::list() {
    std::vector<DomainInfo> all;
    Lock lock(mutex_);
    catch_up();
    if (!all_watched_) {
        lock.unlock();
        return look_at_all(folders_);
    }
    for (const auto& domain : std::vector(domains_)) {
        try {
            const auto look = state_of(lock, domain);
            if (look->error) std::rethrow_exception(look->error);
            all.push_back(look->info);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw; // undefined while we looked
        }
    }
    return all;
}

std::optional<DomainInfo> KeptStates::find(const std::string& given) {
    Lock lock(mutex_);
    catch_up();
    const auto domain = known(given);
    if (!domain || !all_watched_) return std::nullopt;
    const auto look = state_of(lock, domain);
    lock.unlock();
    try {
        if (look->error) std::rethrow_exception(look->error);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        return std::nullopt;
    }
    const bool is_it = look->info.name == given || look->info.uuid == canonical_uuid(given);
    return is_it ? std::optional(look->info) : std::nullopt;
}

DomainInfo KeptStates::info(const std::string& given) {
    if (auto found = find(given)) return *std::move(found);
    const auto view = view_of(folders_, given); // it is an id, or a UUID that was not seen yet
    if (auto found = find(view.name())) return *std::move(found);
    return look_at(view).info; // nothing is kept where not all can be watched
}

} // namespace domsnap::engine
