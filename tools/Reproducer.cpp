#include "tools/Reproducer.h"

#include <cstring>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace dscc {

Reproducer::Reproducer(llvm::ArrayRef<const char *> arguments, std::string file)
    : file(std::move(file)), story("// dscc"), stage(stageWord + strlen(stageWord)) {
  words.push_back("dscc");
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (const char *argument : arguments)
    story += std::string(" ") + argument;
  for (char &c : story)
    c = c == '\n' ? ' ' : c;
  // The last of several counts. One that breaks down in its turn leaves it at that.
  for (const char *word : {"--no-reproducer", "-o"})
    words.push_back(word);
  words.push_back(this->file);
  for (std::string &word : words)
    pointers.push_back(word.data());
  pointers.push_back(stageWord);
  pointers.push_back(nullptr);
  posix_spawn_file_actions_init(&quiet);
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&quiet, stream, "/dev/null", O_RDWR, 0);
}

Reproducer::~Reproducer() { posix_spawn_file_actions_destroy(&quiet); }

void Reproducer::reach(llvm::StringRef at) {
  size_t room = sizeof(stageWord) - size_t(stage - stageWord) - 1;
  size_t length = std::min(at.size(), room);
  std::memcpy(stage, at.data(), length);
  stage[length] = '\0';
}

bool Reproducer::write(llvm::StringRef reason) const {
  pid_t child;
  int status = 0;
  if (posix_spawn(&child, "/proc/self/exe", &quiet, nullptr, pointers.data(), environ))
    return false;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return false;
  int output = open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (output < 0)
    return false;
  bool ok = true;
  for (llvm::StringRef text : {llvm::StringRef(story), llvm::StringRef("\n// After stage "), llvm::StringRef(stage),
                               llvm::StringRef(": "), reason, llvm::StringRef("\n")})
    ok = ok && ::write(output, text.data(), text.size()) == ssize_t(text.size());
  close(output);
  return ok;
}

} // namespace dscc
