// How the snapshot parser says no: libvirt's words first, for those who search for them, then where it was.
#pragma once

#include "base/error.h"
#include "model/element.h"

#include <string>

namespace domsnap::xml {

struct Place {
    std::string source; ///< "" or "(…)": not a file, lines mean nothing to the user
    ErrorCode code = ErrorCode::invalid_request;

    [[noreturn]] void refuse(const model::Element& element, const std::string& words,
                             std::string hint = {}) const;
    /// libvirt's words for an attribute that is not one of a few.
    [[noreturn]] void refuse_value(const model::Element& element, const char* attribute,
                                   std::string hint) const;
};

} // namespace domsnap::xml
