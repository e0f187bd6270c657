#include "rpc/failure.h"

#include "rpc/names.h"

#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

struct Prefix {
    std::string_view words;
    Code code;
    Area area = Area::qemu;
};

// The engine says much in libvirt's words; these beginnings belong to libvirt's numbers.
constexpr Prefix prefixes[] = {
    {"Domain snapshot not found", Code::no_snapshot, Area::snapshot},
    {"failed to get domain", Code::no_domain, Area::qemu},
    {"XML error", Code::xml_error, Area::domain},
    {"XML document failed to validate", Code::xml_invalid_schema, Area::domain},
    {"unsupported configuration", Code::config_unsupported, Area::qemu},
    {"invalid argument", Code::invalid_argument, Area::qemu},
    {"operation failed", Code::operation_failed, Area::qemu},
    {"internal error", Code::internal_error, Area::qemu},
};

Code code_of(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalid_request:
        return Code::config_unsupported;
    case ErrorCode::not_found:
    case ErrorCode::io:
        return Code::system_error;
    case ErrorCode::conflict:
        return Code::operation_invalid;
    case ErrorCode::busy:
    case ErrorCode::timed_out:
        return Code::operation_timeout;
    case ErrorCode::unsupported:
        return Code::operation_unsupported;
    case ErrorCode::cancelled:
        return Code::operation_aborted;
    case ErrorCode::refused_by_qemu:
    case ErrorCode::outcome_unknown:
        return Code::operation_failed;
    case ErrorCode::corrupt:
        break;
    }
    return Code::internal_error;
}

} // namespace

RemoteError remote_error(Code code, Area area, const std::string& words) {
    RemoteError error;
    error.code = static_cast<int32_t>(code);
    error.domain = static_cast<int32_t>(area);
    error.message = words.substr(0, max_string);
    error.str1 = "%s"; // libvirt sends its format and what went into it; bindings show the second as "detail"
    error.str2 = error.message;
    return error;
}

RemoteError remote_error(const Error& error) {
    std::string words = error.what();
    Code code = code_of(error.code());
    Area area = Area::qemu;
    for (const auto& prefix : prefixes)
        if (words.starts_with(prefix.words)) {
            code = prefix.code;
            area = prefix.area;
            break;
        }
    if (!error.hint().empty()) words += "\nhint: " + error.hint();
    return remote_error(code, area, words);
}

void check_flags(uint32_t given, uint32_t known, std::string_view procedure) {
    if (const uint32_t unknown = given & ~known)
        throw Refusal(Code::invalid_argument, Area::qemu,
                      fmt::format("invalid argument: unsupported flags ({:#x}) in function {}", unknown,
                                  function_name(procedure)));
}

} // namespace domsnap::rpc
