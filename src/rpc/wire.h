// The values that many procedures share, member for member as they travel.
#pragma once

#include "rpc/xdr.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace domsnap::rpc {

inline constexpr uint32_t max_list = 16384; ///< libvirt's limit for domains, snapshots and most else

using OptionalText = std::optional<std::string>;
using Names = List<std::string, max_list>;

struct Nothing {
    std::tuple<> wire() { return {}; }
    std::tuple<> wire() const { return {}; }
};

struct DomainRef {
    std::string name;
    Uuid uuid{};
    int32_t id = -1;
    DOMSNAP_WIRE(name, uuid, id)
};
using DomainRefs = List<DomainRef, max_list>;

struct SnapshotRef {
    std::string name;
    DomainRef domain;
    DOMSNAP_WIRE(name, domain)
};
using SnapshotRefs = List<SnapshotRef, max_list>;

/// A network, a storage pool, a filter: what has a name and a UUID.
struct NamedRef {
    std::string name;
    Uuid uuid{};
    DOMSNAP_WIRE(name, uuid)
};

using ParamValue = std::variant<int32_t, uint32_t, int64_t, uint64_t, double, bool, std::string>;
struct Param {
    std::string field;
    ParamValue value;
    DOMSNAP_WIRE(field, value)
};
using JobParams = List<Param, 64>;

struct RemoteError {
    int32_t code = 0, domain = 0;
    OptionalText message;
    int32_t level = 2; ///< an error; 1 would be a warning
    std::optional<DomainRef> about;
    OptionalText str1, str2, str3;
    int32_t int1 = -1, int2 = -1;
    std::optional<NamedRef> network;
    DOMSNAP_WIRE(code, domain, message, level, about, str1, str2, str3, int1, int2, network)
};

/// The payload of a packet that stands for zeros.
struct StreamHole {
    uint64_t size = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(size, flags)
};

// Arguments and results that are the same for many procedures.
struct Flags {
    uint32_t flags = 0;
    DOMSNAP_WIRE(flags)
};
struct Number {
    int32_t value = 0;
    DOMSNAP_WIRE(value)
};
struct BigNumber {
    uint64_t value = 0;
    DOMSNAP_WIRE(value)
};
struct Text {
    std::string text;
    DOMSNAP_WIRE(text)
};
struct MaybeText {
    OptionalText text;
    DOMSNAP_WIRE(text)
};
struct TextFlags {
    std::string text;
    uint32_t flags = 0;
    DOMSNAP_WIRE(text, flags)
};
struct OfDomain {
    DomainRef domain;
    DOMSNAP_WIRE(domain)
};
struct DomainFlags {
    DomainRef domain;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, flags)
};
struct DomainText {
    DomainRef domain;
    std::string text;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, text, flags)
};
struct OfSnapshot {
    SnapshotRef snapshot;
    DOMSNAP_WIRE(snapshot)
};
struct SnapshotFlags {
    SnapshotRef snapshot;
    uint32_t flags = 0;
    DOMSNAP_WIRE(snapshot, flags)
};
struct SomeNames {
    Names names;
    DOMSNAP_WIRE(names)
};
struct ListWanted {
    int32_t need_results = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(need_results, flags)
};

} // namespace domsnap::rpc
