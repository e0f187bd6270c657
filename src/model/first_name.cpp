#include "model/first_name.h"

namespace domsnap::model {

static constexpr const char* element = "domsnap:name";

static std::string name_in_cookie(const Snapshot& snapshot) {
    if (snapshot.cookie.empty()) return {};
    const auto* name = snapshot.cookie.front().child(element);
    return name ? name->content() : "";
}

std::string first_name(const Snapshot& snapshot) {
    if (auto name = name_in_cookie(snapshot); !name.empty()) return name;
    for (const auto& point : snapshot.points())
        if (!point.tag.empty()) return point.tag;
    return snapshot.name;
}

void set_first_name(Snapshot& snapshot, const std::string& name) {
    if (!snapshot.cookie.empty()) {
        snapshot.cookie.front().remove(element);
        if (snapshot.cookie.front().elements().empty()) snapshot.cookie.clear();
    }
    if (name == snapshot.name) return;
    if (snapshot.cookie.empty()) snapshot.cookie.emplace_back("cookie");
    Element kept(element);
    kept.set_attribute("xmlns:domsnap", record_namespace);
    kept.set_text(name);
    snapshot.cookie.front().append(std::move(kept), 1);
}

} // namespace domsnap::model
