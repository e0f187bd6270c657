// Facts for the planner's tests: one domain with a qcow2 and a raw disk, off or running.
#pragma once

#include "model/tree.h"
#include "plan/planner.h"
#include "xml/document.h"
#include "xml/snapshot.h"

#include <string>

namespace domsnap::plan {

inline model::Domain test_domain() {
    return model::domain_from(xml::parse(R"(<domain type='qemu'>
  <name>vm</name>
  <uuid>11111111-2222-4333-8444-555555555555</uuid>
  <memory unit='MiB'>256</memory>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/vm/vda.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='/vm/vdb.img'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
  </devices>
</domain>
)",
                                         "test"));
}

inline void add_file(Facts& facts, const std::string& path, const std::string& format,
                     const std::string& backing = {}) {
    FileFacts file;
    file.path = path;
    file.format = format;
    file.backing = backing;
    file.backing_format = backing.empty() ? "" : facts.files.at(backing).format;
    file.virtual_size = 64 << 20;
    file.actual_size = 1 << 20;
    facts.files[path] = file;
    facts.taken.insert(path);
}

inline Facts test_facts(model::SnapshotState state) {
    Facts facts;
    facts.state = state;
    facts.has_process = facts.online() || state == model::SnapshotState::crashed;
    facts.definition = facts.live = test_domain();
    add_file(facts, "/vm/vda.qcow2", "qcow2");
    add_file(facts, "/vm/vdb.img", "raw");
    const bool online = facts.online();
    for (const auto* target : {"vda", "vdb"}) {
        DiskFacts disk;
        disk.target = target;
        disk.files = {facts.live.find_disk(target)->source};
        if (online) {
            disk.device = std::string("virtio-disk-") + target;
            disk.nodes = {std::string(target) + "-0"};
            disk.next_node = 1;
        }
        facts.disks.push_back(disk);
    }
    facts.disks.push_back({"sda", online ? "sata0-0-0" : "", {}, {}, 0, true});
    facts.background_snapshot = state == model::SnapshotState::running;
    facts.memory_folder = "/state/domains/vm/memory";
    facts.memory_in_use = 100 << 20;
    facts.folders = {"/vm", "/state/domains/vm/memory"};
    facts.free_space["/vm"] = 1ull << 40;
    facts.now = 1700000000;
    facts.unique = "00c0ffee";
    return facts;
}

/// The same domain with UEFI and a TPM, both of which have been used.
inline Facts uefi_facts(model::SnapshotState state) {
    Facts facts = test_facts(state);
    auto document = facts.live.document;
    document.at("os")->set_attribute("firmware", "efi");
    model::Element tpm("tpm"), backend("backend");
    backend.set_attribute("type", "emulator");
    tpm.append(std::move(backend));
    document.child("devices")->append(std::move(tpm));
    facts.definition = facts.live = model::domain_from(document);
    facts.firmware_folder = "/state/firmware/u";
    facts.why_not_beside = "it has UEFI's variables";
    facts.nvram = {"/state/firmware/u/VARS.fd", true, 540672};
    facts.tpm = {"/state/firmware/u/tpm2/tpm2-00.permall", true, 6000};
    return facts;
}

/// What the engine does between XML and planner.
inline Plan plan_from_xml(const std::string& xml, const CreateOptions& options, const Facts& facts,
                          const model::SnapshotTree& tree = {}) {
    auto request = xml::parse_snapshot(
        xml, {.redefine = false, .disk_only = options.disk_only, .record = false}, "test");
    const auto& outcome = look_up(cell_of(request, options, facts.live, facts.online()));
    if (!outcome.valid()) throw Error(ErrorCode::invalid_request, outcome.refusal);
    request.memory.location = outcome.memory;
    xml::align_disks(request, facts.live, outcome.disk);
    check_flags(options);
    return plan_create(request, options, facts, tree);
}

/// The record that a plan writes, as a snapshot again.
inline model::Snapshot record_of(const Plan& plan) {
    for (const auto& step : plan.steps)
        if (const auto* put = std::get_if<PutRecord>(&step); put && put->name == plan.snapshot)
            return xml::parse_snapshot(put->text, {.redefine = true, .disk_only = false, .record = true},
                                       "record");
    throw Error(ErrorCode::not_found, "the plan writes no record");
}

/// The facts after the plan was carried out, as far as files and documents go.
inline void carry_out(Facts& facts, const Plan& plan) {
    for (const auto& step : plan.steps) {
        if (const auto* made = std::get_if<MakeOverlay>(&step))
            add_file(facts, made->path, "qcow2", made->backing);
        if (const auto* made = std::get_if<ReserveImage>(&step)) facts.taken.insert(made->path);
        if (const auto* kept = std::get_if<KeepFile>(&step)) facts.taken.insert(kept->to);
        if (const auto* put = std::get_if<PutDefinition>(&step))
            facts.definition = model::domain_from(xml::parse(put->text, "definition"));
        if (const auto* put = std::get_if<PutLive>(&step))
            facts.live = model::domain_from(xml::parse(put->text, "live"));
        if (const auto* made = std::get_if<CreateInternal>(&step))
            facts.files.at(made->path).tags.insert(made->tag);
        if (const auto* save = std::get_if<SaveInternal>(&step))
            for (const auto& disk : save->disks)
                facts.files.at(disk.path).tags.insert(disk.tag);
        if (const auto* change = std::get_if<SwitchDisks>(&step)) {
            for (const auto& one : change->internals)
                facts.files.at(one.path).tags.insert(one.tag);
            for (const auto& one : change->overlays)
                for (auto& disk : facts.disks)
                    if (disk.target == one.target) {
                        disk.files.insert(disk.files.begin(), one.overlay_path);
                        disk.nodes.insert(disk.nodes.begin(), one.overlay_node);
                        ++disk.next_node;
                    }
        }
    }
    if (!facts.online()) facts.live = facts.definition;
}

} // namespace domsnap::plan
