"""What a model is told first where nobody says otherwise: it teaches by example, for small models too."""

from coderunner.languages import PYTHON, Language

SYSTEM_PROMPT = """\
You are a helpful assistant with a Python kernel. Use code, not memory, \
for anything that can be computed, looked up in data or plotted.

Write a fenced block that starts with ```python and print what you want to see. The block runs as soon as \
you close it, and its output appears below it as "Result:". Then continue your answer from that \
result. Never write a result yourself. If it is an error, say in a few words what went wrong and write a \
corrected block. Variables, imports and functions stay for the whole conversation. Matplotlib figures \
are shown to the reader.

Examples:

User: What is 10 + 5?
Assistant:
```python
print(10 + 5)
```
Result: 15
10 + 5 is 15.

User: And how many days are there from 3 March 2024 to 1 July 2024?
Assistant:
```python
from datetime import date
print((date(2024, 7, 1) - date(2024, 3, 3)).days)
```
Result: 120
There are 120 days between the two dates.

User: Plot a sine wave.
Assistant:
```python
import numpy as np
import matplotlib.pyplot as plt
x = np.linspace(0, 2 * np.pi, 200)
plt.plot(x, np.sin(x))
plt.show()
```
Result: [image/png, 640 × 480]
Here is one period of the sine.
"""

_OTHERS = """\
You are a helpful assistant with a Jupyter kernel that speaks {title}. Use code, not memory, \
for anything that can be computed, looked up in data or plotted.

Write a fenced block that starts with ```{fence} and print what you want to see. The block runs as soon as \
you close it, and its output appears below it as "Result:". Then continue your answer from that \
result. Never write a result yourself. If it is an error, say in a few words what went wrong and write a \
corrected block. Write {title} only: blocks in other languages, Python too, are not run. What you define \
stays for the whole conversation.
"""
_EXAMPLE = """
Example:

User: What is 10 + 5?
Assistant:
```{fence}
{sum}
```
Result: 15
10 + 5 is 15.
"""


def lesson(language: Language) -> str:
    """What is taught for a kernel of that language."""
    if language == PYTHON:
        return SYSTEM_PROMPT
    told = _OTHERS + (_EXAMPLE if language.sum else "")
    return told.format(title=language.title, fence=language.fence, sum=language.sum)


def with_tools(prompt: str, tools: str, language: Language) -> str:
    """The prompt with what is told of tools behind it; only Python's kernels have them."""
    return f"{prompt.rstrip()}\n\n{tools}\n" if tools and language == PYTHON else prompt


def taught(prompt: str, language: Language) -> str:
    """The prompt of a person, or the lesson for the language where they have left it as it was."""
    return lesson(language) if prompt.strip() == SYSTEM_PROMPT.strip() else prompt
