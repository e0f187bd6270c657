// QEMU's "error" answer as an exception.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace fake {

using Json = nlohmann::json;

struct Refusal : std::runtime_error {
    explicit Refusal(const std::string& words, std::string kind_ = "GenericError")
        : std::runtime_error(words), kind(std::move(kind_)) {}
    std::string kind;
};

} // namespace fake
