// The part of the stream behind RAM: device state, end mark, description.
#include "memory/bytes.h"
#include "memory/stream.h"

#include <nlohmann/json.hpp>

namespace domsnap::memory {

static bool is_object(std::string_view text) { return text.starts_with('{') && nlohmann::json::accept(text); }

static bool ends_a_section(std::string_view text) {
    return text.empty() ||
           (text.size() >= 5 && static_cast<uint8_t>(text[text.size() - 5]) == wire::section_footer);
}

// Device sections do not say how long they are, so they are kept as they come, and what follows them is found
// from the end: JSON holds no zero byte, so the last "0, 6, length" whose length fits is the true one. What
// it must look like keeps a stream that was cut short from passing for a whole one.
static size_t find_description(std::string_view tail) {
    for (size_t i = tail.size(); i-- > 0;) {
        if (tail[i] != wire::end_of_stream || tail.size() - i < 6 || tail[i + 1] != wire::vm_description)
            continue;
        if (from_big<uint32_t>(tail.data() + i + 2) == tail.size() - i - 6)
            return ends_a_section(tail.substr(0, i)) && is_object(tail.substr(i + 6))
                       ? i
                       : std::string_view::npos;
    }
    return std::string_view::npos;
}

void StreamParser::read_tail() {
    std::string tail;
    do {
        tail.append(as_text(at_, static_cast<size_t>(end_ - at_)));
        at_ = end_;
        if (tail.size() > max_device_state + max_vm_description) damaged("the device state is too long");
    } while (refill());
    const size_t cut = find_description(tail);
    if (cut == std::string::npos)
        damaged("it ends without the description of the device state, so it is not known to be whole");
    vm_description_ = tail.substr(cut + 6);
    if (vm_description_.size() > max_vm_description)
        damaged("the description of the device state is too long");
    tail.resize(cut);
    if (tail.size() > max_device_state) damaged("the device state is too long");
    device_state_ = std::move(tail);
    place_ = Place::done;
}

} // namespace domsnap::memory
