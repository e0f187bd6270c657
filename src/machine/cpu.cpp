// <cpu>, <vcpu> and the features that are properties of QEMU's CPU -> -cpu and -smp.
#include "machine/build.h"

#include "base/text.h"

#include <fmt/format.h>

namespace domsnap::machine {

namespace {

/// "-cpu MODEL,property=value…".
struct Cpu {
    std::string model, properties;
    void set(std::string_view name, std::string_view value) {
        properties += fmt::format(",{}={}", name, escape_commas(value));
    }
    void turn(std::string_view name, bool value) { set(name, std::string_view(on_off(value))); }
};

std::string plain_word(const model::Element& element, const std::string& word) {
    if (word.empty() || word.find_first_of(",= \t\n") != std::string::npos)
        refuse(element, "not a name QEMU can know");
    return word;
}

void add_features(Cpu& cpu, const model::Element& element) {
    for (const auto* feature : element.elements("feature")) {
        only_attributes(*feature, {"policy", "name"});
        const auto policy =
            word_of(*feature, "policy", "require", {"require", "force", "optional", "disable", "forbid"});
        auto name = plain_word(*feature, feature->attribute("name"));
        // The one name that libvirt and QEMU spell differently (the others differ in '_' and '-', which QEMU
        // equates).
        if (name == "pclmuldq") name = "pclmulqdq";
        // 'optional' is 'on' too: QEMU leaves out what the host has not, with a warning in its log.
        cpu.turn(name, policy != "disable" && policy != "forbid");
    }
}

void add_cache(Cpu& cpu, const model::Element& cache) {
    const auto mode = word_of(cache, "mode", "", {"passthrough", "emulate", "disable"});
    if (mode == "passthrough") cpu.turn("host-cache-info", true);
    if (mode == "emulate" && number_of(cache, "level").value_or(3) != 3) refuse_attribute(cache, "level");
    cpu.turn("l3-cache", mode == "emulate");
}

void add_address_bits(Cpu& cpu, const model::Element& bits) {
    if (word_of(bits, "mode", "", {"passthrough", "emulate"}) == "passthrough")
        return cpu.turn("host-phys-bits", true);
    cpu.set("phys-bits", std::to_string(number_of(bits, "bits").value_or(40)));
}

void choose_model(const Build& build, Cpu& cpu, const model::Element& element) {
    const auto* model = element.child("model");
    const auto mode = word_of(element, "mode", model ? "custom" : "",
                              {"custom", "host-passthrough", "host-model", "maximum"});
    if (mode == "custom" && !model) refuse(element, "it names no <model>");
    if (mode == "custom") {
        cpu.model = plain_word(*model, model->text());
    } else if (mode == "maximum") {
        cpu.model = "max";
    } else if (!mode.empty()) {
        // Without KVM there is no host CPU to pass through; the nearest is all that TCG can do, as libvirt
        // has it.
        cpu.model = build.kvm ? "host" : "max";
    }
    if (model)
        if (const auto* vendor = model->find_attribute("vendor_id")) cpu.set("vendor", *vendor);
    if (const auto migratable = switch_of(element, "migratable"); migratable && cpu.model == "host")
        cpu.turn("migratable", *migratable);
}

void read_cpu(const Build& build, Cpu& cpu, const model::Element& element) {
    only_children(element, {"model", "vendor", "topology", "feature", "cache", "maxphysaddr"});
    only_attributes(element, {"mode", "match", "check", "migratable", "deprecated_features"});
    word_of(element, "match", "exact", {"exact"});
    choose_model(build, cpu, element);
    add_features(cpu, element);
    if (const auto* cache = element.child("cache")) add_cache(cpu, *cache);
    if (const auto* bits = element.child("maxphysaddr")) add_address_bits(cpu, *bits);
}

void add_hyperv(Cpu& cpu, const model::Element& hyperv) {
    only_children(hyperv,
                  {"relaxed", "vapic", "spinlocks", "vpindex", "runtime", "synic", "stimer", "reset",
                   "vendor_id", "frequencies", "reenlightenment", "tlbflush", "ipi", "evmcs", "avic"});
    if (word_of(hyperv, "mode", "custom", {"custom", "passthrough"}) == "passthrough")
        cpu.turn("hv-passthrough", true);
    for (const auto* feature : hyperv.elements()) {
        if (!switch_of(*feature, "state").value_or(true)) continue;
        if (feature->name == "spinlocks")
            cpu.set("hv-spinlocks", fmt::format("{:#x}", number_of(*feature, "retries").value_or(0x1fff)));
        else if (feature->name == "vendor_id")
            cpu.set("hv-vendor-id", feature->attribute("value"));
        else
            cpu.turn("hv-" + feature->name, true);
        if (child_state(*feature, "direct").value_or(false)) cpu.turn("hv-stimer-direct", true);
    }
}

void add_domain_features(Cpu& cpu, const model::Element& features) {
    if (const auto state = child_state(features, "pmu")) cpu.turn("pmu", *state);
    if (const auto state = child_state(features, "pvspinlock")) cpu.turn("kvm-pv-unhalt", *state);
    if (const auto* hyperv = features.child("hyperv")) add_hyperv(cpu, *hyperv);
    const auto* kvm = features.child("kvm");
    if (!kvm) return;
    only_children(*kvm, {"hidden", "hint-dedicated", "poll-control"});
    if (child_state(*kvm, "hidden").value_or(false)) cpu.turn("kvm", false);
    if (const auto state = child_state(*kvm, "hint-dedicated")) cpu.turn("kvm-hint-dedicated", *state);
    if (const auto state = child_state(*kvm, "poll-control")) cpu.turn("kvm-poll-control", *state);
}

void add_timers(Cpu& cpu, const model::Element& clock) {
    for (const auto* timer : clock.elements("timer")) {
        const auto name = timer->attribute("name");
        const auto present = switch_of(*timer, "present");
        if (name == "kvmclock" && present) cpu.turn("kvmclock", *present);
        if (name == "hypervclock" && present.value_or(false)) cpu.turn("hv-time", true);
        if (name == "tsc")
            if (const auto frequency = number_of(*timer, "frequency"))
                cpu.set("tsc-frequency", std::to_string(*frequency));
    }
}

/// "-smp": the topology's product is the number of CPUs there can be; libvirt refuses another.
std::string topology_options(const model::Element& topology, unsigned maximum) {
    only_attributes(topology, {"sockets", "dies", "clusters", "cores", "threads"});
    std::string options;
    uint64_t product = 1;
    for (const auto* level : {"sockets", "dies", "clusters", "cores", "threads"}) {
        const auto count = number_of(topology, level);
        if (!count) continue;
        if (*count == 0 || *count > 4096) refuse_attribute(topology, level);
        product *= *count;
        const std::string_view name = level;
        // PCs have no clusters, and QEMU refuses the word even for one of them.
        if (name == "clusters" && *count != 1) refuse_attribute(topology, level, "a PC has no clusters");
        if (name != "clusters" && !(name == "dies" && *count == 1))
            options += fmt::format(",{}={}", level, *count);
    }
    if (product != maximum)
        refuse(topology, fmt::format("it makes {} CPUs, and <vcpu> says {}", product, maximum));
    return options;
}

void add_processors(Build& build) {
    const auto& document = build.document();
    const auto maximum = build.domain.vcpus;
    uint64_t current = maximum;
    if (const auto* vcpu = document.child("vcpu")) {
        only_attributes(*vcpu, {"placement", "current"});
        word_of(*vcpu, "placement", "static", {"static"});
        current = number_of(*vcpu, "current").value_or(maximum);
        if (current == 0 || current > maximum)
            refuse_attribute(*vcpu, "current", "it is not between 1 and the maximum");
    }
    auto smp = std::to_string(current);
    if (current != maximum) smp += fmt::format(",maxcpus={}", maximum);
    if (const auto* topology = document.at("cpu/topology")) smp += topology_options(*topology, maximum);
    build.arguments.option("-smp", smp);
}

} // namespace

void add_cpu(Build& build) {
    Cpu cpu;
    const auto& document = build.document();
    if (const auto* element = document.child("cpu")) read_cpu(build, cpu, *element);
    if (const auto* features = document.child("features")) add_domain_features(cpu, *features);
    if (const auto* clock = document.child("clock")) add_timers(cpu, *clock);
    for (const auto* panic : build.devices("panic"))
        if (panic->attribute("model") == "hyperv") cpu.turn("hv-crash", true);
    // QEMU's own default, named only where a property needs something to hang on.
    if (cpu.model.empty() && !cpu.properties.empty()) cpu.model = "qemu64";
    if (!cpu.model.empty()) build.arguments.option("-cpu", cpu.model + cpu.properties);
    add_processors(build);
}

} // namespace domsnap::machine
