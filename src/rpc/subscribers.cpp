#include "rpc/subscribers.h"

#include "rpc/frame.h"
#include "rpc/names.h"

#include <algorithm>

namespace domsnap::rpc {

namespace {

struct LifecycleBody {
    DomainRef domain;
    int32_t event = 0, detail = 0;
    DOMSNAP_WIRE(domain, event, detail)
};
struct BlockJobBody {
    DomainRef domain;
    std::string path;
    int32_t type = 0, status = 0;
    DOMSNAP_WIRE(domain, path, type, status)
};
struct JobBody {
    DomainRef domain;
    JobParams params;
    DOMSNAP_WIRE(domain, params)
};

/// Most events are the number of the registration, then the event's own body; the old ones are the body
/// alone.
template <class Body>
std::string message(const char* procedure, std::optional<int32_t> number, const Body& body) {
    Header header;
    header.procedure = procedure_number(procedure);
    header.type = static_cast<uint32_t>(Type::message);
    return frame_text(header, (number ? encode(Number{*number}) : std::string{}) + encode(body));
}

} // namespace

int32_t Subscribers::add(std::shared_ptr<Outlet> outlet, int32_t event, std::optional<Uuid> domain,
                         Style style) {
    const std::lock_guard lock(mutex_);
    entries_.push_back({std::move(outlet), ++next_, event, domain, style});
    return next_;
}

bool Subscribers::remove(const std::shared_ptr<Outlet>& outlet, int32_t number) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(entries_, [&](const Entry& e) { return e.outlet == outlet && e.number == number; }) >
           0;
}

bool Subscribers::remove_old(const std::shared_ptr<Outlet>& outlet, int32_t event, Style style) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(entries_, [&](const Entry& e) {
               return e.outlet == outlet && e.event == event && e.style == style;
           }) > 0;
}

void Subscribers::remove_all(const std::shared_ptr<Outlet>& outlet) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const Entry& e) { return e.outlet == outlet; });
}

size_t Subscribers::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

std::vector<Subscribers::Entry> Subscribers::wanting(Event event, const DomainRef& domain) const {
    const std::lock_guard lock(mutex_);
    std::vector<Entry> found;
    for (const auto& entry : entries_)
        if (entry.event == static_cast<int32_t>(event) && (!entry.domain || *entry.domain == domain.uuid))
            found.push_back(entry);
    return found;
}

void Subscribers::lifecycle(const DomainRef& domain, Lifecycle what) {
    const LifecycleBody body{domain, what.event, what.detail};
    for (const auto& to : wanting(Event::lifecycle, domain))
        to.outlet->send(to.style == Style::callback
                            ? message("domain_event_callback_lifecycle", to.number, body)
                            : message("domain_event_lifecycle", {}, body));
}

void Subscribers::reboot(const DomainRef& domain) {
    for (const auto& to : wanting(Event::reboot, domain))
        to.outlet->send(to.style == Style::callback
                            ? message("domain_event_callback_reboot", to.number, OfDomain{domain})
                            : message("domain_event_reboot", {}, OfDomain{domain}));
}

void Subscribers::block_job(const DomainRef& domain, const BlockJob& job) {
    const BlockJobBody by_path{domain, job.path, job.type, job.status};
    for (const auto& to : wanting(Event::block_job, domain))
        to.outlet->send(to.style == Style::callback
                            ? message("domain_event_callback_block_job", to.number, by_path)
                            : message("domain_event_block_job", {}, by_path));
    const BlockJobBody by_disk{domain, job.disk, job.type, job.status};
    for (const auto& to : wanting(Event::block_job_2, domain))
        to.outlet->send(message("domain_event_block_job_2", to.number, by_disk));
}

void Subscribers::job_completed(const DomainRef& domain, const JobParams& params) {
    for (const auto& to : wanting(Event::job_completed, domain))
        to.outlet->send(message("domain_event_callback_job_completed", to.number, JobBody{domain, params}));
}

} // namespace domsnap::rpc
