// A guest that runs before its memory is there: the QEMU that is made ready beside the present one, the page
// server that gives it the rest, and what becomes of that.
#pragma once

#include "engine/session.h"
#include "memory/page_status.h"

#include <optional>
#include <string>

namespace domsnap::engine {

/// The QEMU that was made ready takes the present one's place, which must have ended; false if there is none.
bool use_prepared_qemu(Session& session, const model::Domain& domain, const std::string& reason);
/// Or the one before, if it was killed, that has its folder.
void end_prepared_qemu(const Session& session);

/// Whether this QEMU takes its memory while its guest runs, which only asking it tells; says so if not.
bool allow_at_once(const Session& session, qmp::Client& qemu);
/// The session's QEMU, waiting for a stream, gets the image's device state and a page server. Returns when
/// the guest could run; it is stopped.
void load_memory_at_once(Session& session, const std::string& image);

/// How far the memory of the QEMU that runs has come; nothing if all of it was there from the start.
std::optional<memory::PageStatus> page_status(const View& view);
/// A page server for the session's QEMU, whose end socket is the other of, and its supervisor, which is
/// returned.
os::ProcessId start_serving(const View& view, os::Fd socket, const std::string& image, bool take_over);
/// A damaged image, told by every verb that needs the guest. Throws corrupt.
void refuse_damaged(const View& view);

/// Starts another page server if the last one is gone. Problems are warnings: the verb may be one that ends
/// the guest.
void tend_pages(Session& session);
/// Returns when all of the memory is there, saying through control.warning for what it waits. Throws corrupt
/// if that will never be.
void wait_for_pages(Session& session, const std::string& verb);
/// For a QEMU that is about to end.
void end_page_server(const machine::RuntimeFiles& files);

} // namespace domsnap::engine
