// <tpm>: a TPM 2.0 that swtpm emulates in a process of its own, at the other end of a socket.
#include "machine/build.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

static void check_backend(const model::Element& tpm, const model::Element& backend) {
    constexpr const char* elsewhere =
        "its state is outside of domsnap's reach, where no snapshot would hold it";
    only_children(tpm, {"backend", "alias"});
    only_attributes(tpm, {"model"});
    if (backend.attribute("type") != "emulator")
        refuse_attribute(backend, "type", elsewhere, "type='emulator'");
    if (const auto* encryption = backend.child("encryption"))
        refuse(*encryption, "domsnap keeps no secrets: the TPM's state would lie beside its own key");
    only_children(backend, {});
    only_attributes(backend, {"type", "version", "persistent_state"});
    word_of(backend, "version", "2.0", {"2.0"});
    switch_of(backend, "persistent_state");
}

void add_tpm(Build& build) {
    const auto tpms = build.devices("tpm");
    if (tpms.empty()) return;
    const auto& tpm = *tpms.front();
    if (tpms.size() > 1) refuse(*tpms[1], "a machine has one TPM");
    const auto* backend = tpm.child("backend");
    if (!backend) refuse(tpm, "it has no <backend>");
    check_backend(tpm, *backend);
    const auto model = word_of(tpm, "model", "tpm-tis", {"tpm-crb", "tpm-tis"});
    // A trial has no swtpm: without one QEMU has no TPM to put at the device's back.
    if (build.facts.trial) return;
    const auto id = id_of(tpm, "tpm0");
    build.arguments.option("-chardev", fmt::format("socket,id=chrtpm,fd={}", build.facts.tpm_fd));
    build.arguments.option("-tpmdev", fmt::format("emulator,id=tpm-{},chardev=chrtpm", id));
    build.arguments.device(DeviceRank::plugged, {{"driver", model}, {"id", id}, {"tpmdev", "tpm-" + id}});
}

} // namespace domsnap::machine
