// How the server says no: libvirt's numbers, because clients act on them, and domsnap's own words.
#pragma once

#include "base/error.h"
#include "rpc/wire.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace domsnap::rpc {

/// virErrorNumber
enum class Code : int32_t {
    internal_error = 1,
    no_support = 3,
    invalid_argument = 8,
    operation_failed = 9,
    xml_error = 27,
    operation_denied = 29,
    system_error = 38,
    rpc = 39,
    no_domain = 42,
    no_network = 43,
    no_storage_pool = 49,
    no_storage_volume = 50,
    no_node_device = 53,
    operation_invalid = 55,
    no_interface = 57,
    no_nwfilter = 62,
    no_secret = 66,
    config_unsupported = 67,
    operation_timeout = 68,
    no_snapshot = 72,
    operation_aborted = 78,
    no_metadata = 80,
    operation_unsupported = 84,
    xml_invalid_schema = 92,
    no_nwfilter_binding = 101,
    no_checkpoint = 103,
};

/// virErrorDomain: which part of libvirt would say it.
enum class Area : int32_t {
    rpc = 7,
    qemu = 10,
    network = 19,
    storage = 18,
    domain = 20,
    nodedev = 22,
    interface = 26,
    secret = 30,
    nwfilter = 33,
    snapshot = 35,
    streams = 38,
    checkpoint = 69,
};

/// A refusal whose number this room itself decides.
struct Refusal : std::runtime_error {
    Refusal(Code its_code, Area its_area, const std::string& words)
        : std::runtime_error(words), code(its_code), area(its_area) {}
    Code code;
    Area area;
};

RemoteError remote_error(Code code, Area area, const std::string& words);
/// The engine's refusal with the number by which libvirt's clients know it, and its hint on a second line.
RemoteError remote_error(const Error& error);

/// Throws "unsupported flags (0x…)" for a bit that is not among those known.
void check_flags(uint32_t given, uint32_t known, std::string_view procedure);

} // namespace domsnap::rpc
