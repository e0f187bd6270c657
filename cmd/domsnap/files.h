// Documents that the user names on the command line, and the editor that changes them.
#pragma once

#include <string>

namespace domsnap::cli {

/// The whole file, "-" for stdin; 16 MiB at most. Throws Error naming the file.
std::string read_document(const std::string& file);

/// A text in the user's editor ($VISUAL, $EDITOR, vi), run without a shell. The file is private (0600) and is
/// removed unless keep() was called.
class EditedText {
  public:
    explicit EditedText(const std::string& text);
    ~EditedText();
    EditedText(const EditedText&) = delete;
    EditedText& operator=(const EditedText&) = delete;

    bool changed() const { return text_ != before_; }
    const std::string& text() const { return text_; }
    /// The user's work outlives a refusal. The file's name.
    const std::string& keep();

  private:
    std::string before_, text_, path_;
    bool kept_ = false;
};

} // namespace domsnap::cli
