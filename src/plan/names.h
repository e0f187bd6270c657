// The names that a plan chooses: none of them exists, none is chosen twice.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace domsnap::plan {

/// The overlay's path as libvirt makes it: the last suffix of the file's name cut, then '.' and ending; the
/// ending is made safe for a file name. If it is taken, "-1", "-2", … is added.
std::string free_overlay(const std::string& source, const std::string& ending, std::set<std::string>& taken);
/// FOLDER/STEM.ENDING, made free in the same way.
std::string free_path(const std::string& folder, const std::string& name, std::set<std::string>& taken);
/// A snapshot's name as part of a file name: '/' and control characters become '_', at most 150 bytes.
std::string file_part(const std::string& snapshot_name);
/// What users call it: "NVRAM" for "nvram", "TPM's state" for "tpm".
std::string kept_words(const std::string& role);
/// The copy of a snapshot's NVRAM or TPM, by the snapshot's name and creation time.
std::string kept_name(const std::string& snapshot, int64_t creation_time, const std::string& ending);

} // namespace domsnap::plan
