// A domain's firmware and TPM on this host: chosen, made ready for a start, looked at, removed.
#pragma once

#include "engine/session.h"
#include "machine/command_line.h"
#include "memory/capture.h"
#include "plan/facts.h"

#include <optional>
#include <string>

namespace domsnap::engine {

/// STATE/firmware/UUID.
std::string firmware_folder(const View& view);

/// The document with its firmware and the file of its NVRAM named.
model::Domain with_firmware(const Folders& folders, model::Domain domain);

/// What must be there before QEMU starts: the NVRAM, made from its template if it is not, and the TPM, set
/// up. Throws before anything is started, naming file, template or program.
void make_firmware_ready(const Session& session, const model::Domain& domain);
/// A fresh NVRAM from the template, whatever was there.
void reset_nvram(const Session& session, const model::Domain& domain);

/// The sizes of the flash, for a trial that opens neither file.
void add_flash_sizes(machine::CommandLineFacts& facts, const model::Domain& domain);

/// The NVRAM as the guest's memory must have it. While a background-snapshot is written the guest may write
/// to its flash, which QEMU does not protect (qemu 7.2 and 10.0: ram_write_tracking_start skips ROM devices):
/// the file that was read in the stop is what was there. A qcow2 is left to the image.
std::optional<memory::BlockContent> flash_content(const model::Domain& domain);
/// The same as a file.
memory::BlockFile flash_file(const model::Domain& domain);
/// The same from a snapshot's copy of a raw one; "" = nothing.
std::optional<memory::BlockContent> kept_flash(const std::string& copy);

/// What a snapshot would keep a copy of.
void look_at_firmware(const View& view, plan::Facts& facts);

/// The file of an NVRAM or of a TPM's state, replaced in one step.
void put_firmware(const std::string& file, std::string_view content);
/// What such a step that was cut short left.
void remove_unfinished_firmware(const View& view);

/// undefine's part. Refuses a domain with an NVRAM unless told what to do with it, as libvirt does; done
/// before anything is removed.
void check_undefine(const View& view, const Host::UndefineOptions& options);
/// The files and folders that go with the domain.
std::vector<std::string> firmware_to_remove(const View& view, const Host::UndefineOptions& options);

} // namespace domsnap::engine
