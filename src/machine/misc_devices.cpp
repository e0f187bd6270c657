// <memballoon>, <rng>, <watchdog>, <panic>, and the devices that <features> and <genid> ask for.
#include "machine/pci.h"

#include "base/uuid.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

void add_balloon(Build& build, const model::Element& balloon, size_t) {
    only_children(balloon, {"alias", "address", "stats", "driver"});
    only_attributes(balloon, {"model", "autodeflate", "freePageReporting"});
    const auto model = word_of(balloon, "model", "virtio",
                               {"virtio", "virtio-transitional", "virtio-non-transitional", "none"});
    if (model == "none") return;
    Json device{{"driver", virtio_driver("balloon", model)}, {"id", id_of(balloon, "balloon0")}};
    if (const auto deflate = switch_of(balloon, "autodeflate")) device["deflate-on-oom"] = *deflate;
    if (const auto report = switch_of(balloon, "freePageReporting")) device["free-page-reporting"] = *report;
    add_pci_device(build, balloon, std::move(device));
}

void add_rng(Build& build, const model::Element& rng, size_t number) {
    only_children(rng, {"alias", "address", "backend", "rate", "driver"});
    only_attributes(rng, {"model"});
    const auto model =
        word_of(rng, "model", "virtio", {"virtio", "virtio-transitional", "virtio-non-transitional"});
    const auto* backend = rng.child("backend");
    if (!backend) refuse(rng, "it has no <backend>");
    const auto kind = word_of(*backend, "model", "", {"random", "builtin"});
    const auto id = id_of(rng, fmt::format("rng{}", number));
    Json object{{"qom-type", kind == "builtin" ? "rng-builtin" : "rng-random"}, {"id", "obj" + id}};
    if (kind == "random") object["filename"] = backend->text().empty() ? "/dev/urandom" : backend->text();
    build.arguments.json("-object", object);
    Json device{{"driver", virtio_driver("rng", model)}, {"id", id}, {"rng", "obj" + id}};
    if (const auto* rate = rng.child("rate")) {
        device["max-bytes"] = number_of(*rate, "bytes").value_or(0);
        device["period"] = number_of(*rate, "period").value_or(1000);
    }
    add_pci_device(build, rng, std::move(device));
}

void add_watchdog(Build& build, const model::Element& watchdog, size_t number) {
    only_children(watchdog, {"alias", "address"});
    only_attributes(watchdog, {"model", "action"});
    const auto model = word_of(watchdog, "model", "", {"i6300esb", "itco", "ib700"});
    const auto action = word_of(watchdog, "action", "reset",
                                {"reset", "shutdown", "poweroff", "pause", "none", "inject-nmi"});
    if (model == "itco" && !build.q35) refuse_attribute(watchdog, "model", "it is part of a q35");
    if (number == 0) build.arguments.option("-action", "watchdog=" + action);
    if (number > 0) refuse(watchdog, "QEMU has one action for all watchdogs: one can be run");
    // Part of the chip set; this lets its second expiry have an effect, as libvirt does it.
    if (model == "itco") return build.arguments.option("-global", "ICH9-LPC.noreboot=off");
    Json device{{"driver", model}, {"id", id_of(watchdog, "watchdog0")}};
    if (model == "ib700") return build.arguments.device(DeviceRank::plugged, device);
    add_pci_device(build, watchdog, std::move(device));
}

void add_panic(Build& build, const model::Element& panic, size_t number) {
    only_children(panic, {"alias", "address"});
    only_attributes(panic, {"model"});
    const auto model = word_of(panic, "model", "isa", {"isa", "pvpanic", "hyperv"});
    if (model == "hyperv") return; // a property of the CPU
    Json device{{"driver", model == "isa" ? "pvpanic" : "pvpanic-pci"},
                {"id", id_of(panic, fmt::format("panic{}", number))}};
    if (model == "pvpanic") return add_pci_device(build, panic, std::move(device));
    if (const auto* address = panic.child("address")) {
        word_of(*address, "type", "isa", {"isa"});
        if (const auto port = number_of(*address, "iobase")) device["ioport"] = *port;
    }
    build.arguments.device(DeviceRank::plugged, device);
}

void add_generation_id(Build& build) {
    const auto* genid = build.document().child("genid");
    if (!genid) return;
    const auto uuid = canonical_uuid(genid->text());
    if (!uuid) refuse(*genid, "it holds no UUID", "write one into it");
    build.arguments.device(DeviceRank::plugged, {{"driver", "vmgenid"}, {"id", "vmgenid0"}, {"guid", *uuid}});
}

} // namespace

void add_misc_devices(Build& build) {
    using Add = void (*)(Build&, const model::Element&, size_t);
    for (const auto& [name, add] : {std::pair<const char*, Add>{"memballoon", add_balloon},
                                    {"rng", add_rng},
                                    {"watchdog", add_watchdog},
                                    {"panic", add_panic}}) {
        const auto devices = build.devices(name);
        for (size_t i = 0; i < devices.size(); ++i)
            add(build, *devices[i], i);
    }
    add_generation_id(build);
    if (const auto* features = build.document().child("features"))
        if (child_state(*features, "vmcoreinfo").value_or(false))
            build.arguments.device(DeviceRank::plugged, {{"driver", "vmcoreinfo"}, {"id", "vmcoreinfo0"}});
}

} // namespace domsnap::machine
