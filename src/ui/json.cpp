#include "ui/json.h"

#include <nlohmann/json.hpp>

namespace domsnap::ui {

std::string json_text(const Json& document) {
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace domsnap::ui
