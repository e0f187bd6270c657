// <clock> -> -rtc, and the environment's TZ. Timers that are properties of the machine or the CPU are read
// there.
#include "machine/build.h"

#include "base/text.h"

#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace domsnap::machine {

namespace {

std::string date(int64_t seconds) {
    const std::time_t time = seconds;
    std::tm broken{};
    if (!gmtime_r(&time, &broken)) return "utc";
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}", broken);
}

/// Seconds, which may be negative; 'reset' (of offsets utc and localtime) is libvirt's word for no adjustment
/// kept.
int64_t adjustment_of(const model::Element& clock) {
    const auto value = clock.attribute("adjustment", "0");
    if (value == "reset") return 0;
    const bool negative = value.starts_with('-');
    const auto seconds = text::to_u64(std::string_view(value).substr(negative ? 1 : 0));
    if (!seconds || *seconds > 1'000'000'000'000)
        refuse_attribute(clock, "adjustment", "not a number of seconds");
    return negative ? -static_cast<int64_t>(*seconds) : static_cast<int64_t>(*seconds);
}

std::string base_of(const Build& build, const model::Element& clock) {
    only_children(clock, {"timer"});
    only_attributes(clock, {"offset", "adjustment", "basis", "timezone", "start"});
    const auto offset =
        word_of(clock, "offset", "utc", {"utc", "localtime", "variable", "timezone", "absolute"});
    if (offset == "localtime" || offset == "timezone") return "localtime";
    if (offset == "absolute") return date(static_cast<int64_t>(number_of(clock, "start").value_or(0)));
    if (offset == "utc") return "utc";
    const auto basis = word_of(clock, "basis", "utc", {"utc", "localtime"});
    const auto adjustment = adjustment_of(clock);
    if (adjustment == 0) return basis;
    if (basis == "localtime") refuse_attribute(clock, "basis", "an adjustment is counted from utc only");
    return date(build.facts.now + adjustment);
}

void check_timer(const model::Element& timer) {
    only_children(timer, {});
    only_attributes(timer, {"name", "present", "tickpolicy", "track", "frequency", "mode"});
    const auto name = word_of(timer, "name", "", {"rtc", "pit", "hpet", "kvmclock", "hypervclock", "tsc"});
    if (name == "tsc") word_of(timer, "mode", "auto", {"auto"});
    if (name == "rtc" && !switch_of(timer, "present").value_or(true)) refuse(timer, "every PC has one");
}

std::string rtc_properties(const model::Element& timer) {
    std::string properties;
    if (word_of(timer, "track", "guest", {"guest", "wall"}) == "guest") {
        if (timer.find_attribute("track")) properties += ",clock=vm";
    } else {
        properties += ",clock=host";
    }
    const auto policy = word_of(timer, "tickpolicy", "delay", {"delay", "catchup"});
    if (policy == "catchup") properties += ",driftfix=slew";
    return properties;
}

void add_pit(Build& build, const model::Element& timer) {
    const auto policy = word_of(timer, "tickpolicy", "", {"", "delay", "discard"});
    // The device is KVM's; TCG's PIT delays by itself and knows no such property.
    if (build.kvm && !policy.empty() && switch_of(timer, "present").value_or(true))
        build.arguments.option("-global", "kvm-pit.lost_tick_policy=" + policy);
}

} // namespace

void add_clock(Build& build) {
    const auto* clock = build.document().child("clock");
    if (!clock) return build.arguments.option("-rtc", "base=utc");
    std::string rtc = "base=" + base_of(build, *clock);
    for (const auto* timer : clock->elements("timer")) {
        check_timer(*timer);
        if (timer->attribute("name") == "rtc") rtc += rtc_properties(*timer);
        if (timer->attribute("name") == "pit") add_pit(build, *timer);
    }
    build.arguments.option("-rtc", rtc);
}

} // namespace domsnap::machine
