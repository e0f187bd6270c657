// The first error that libxml2 reports to one parser, as "LINE:COLUMN: its words". Nothing goes to stderr.
#pragma once

#include <libxml/xmlerror.h>
#include <string>

namespace domsnap::xml {

class FirstError {
  public:
    /// open_line: where the element that is being read began. libxml2 says "line 0" of it when SAX1 is used.
    void note(const xmlError& error, int open_line);
    /// "LINE:COLUMN: words"; without an error noted, "1: not well-formed".
    std::string text() const;

  private:
    std::string text_;
};

/// libxml2's message as one line, without its newline.
std::string words(const xmlError& error);

} // namespace domsnap::xml
