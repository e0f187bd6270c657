// Domains and their disks as virsh shows them, and as JSON (one document with stable keys; see domsnap(1)).
#pragma once

#include <domsnap/host.h>

#include <functional>
#include <string>
#include <vector>

namespace domsnap::ui {

/// Asked of a domain when it is shown: it changes all the time.
using CpuSeconds = std::function<double(const DomainInfo&)>;

struct DomainColumns {
    bool uuid = false, id = false, name = false;
};

/// quiet: neither heading nor rule.
std::string domain_table(const std::vector<DomainInfo>& domains, bool quiet);
/// One domain a line: the columns asked for, a blank between them.
std::string domain_names(const std::vector<DomainInfo>& domains, const DomainColumns& columns);
std::string domain_block(const DomainInfo& domain, const CpuSeconds& cpu);
/// "running" or, with the reason, "running (booted)".
std::string domain_state(const DomainInfo& domain, bool reason);
std::string disk_table(const std::vector<DiskInfo>& disks, bool details, bool quiet);

std::string domains_json(const std::vector<DomainInfo>& domains, const CpuSeconds& cpu);
std::string domain_json(const DomainInfo& domain, const CpuSeconds& cpu);
std::string disks_json(const std::string& domain, const std::vector<DiskInfo>& disks);

} // namespace domsnap::ui
