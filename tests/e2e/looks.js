// What is wrong with how a page looks as it stands, one sentence each. looks(): beside the screen, clipped, overlapping, hard to
// read. focus(): of the element that has it. All elements that take part are measured; nothing is known of the page.
(() => {
  const style = (element, part) => getComputedStyle(element, part);
  const seen = (element) => element.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const told = (node) => (node.textContent.trim() || node.outerHTML).slice(0, 40);
  const transparent = "rgba(0, 0, 0, 0)";

  // Contrast as WCAG 2 counts it. Colours are mixed by the browser itself, on what is really behind them.
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const mixed = new Map();
  const mix = (colours, alpha = 1) => {
    const key = [...colours, alpha].join();
    if (!mixed.has(key)) {
      colours.forEach((colour, which) => {
        canvas.globalAlpha = which === colours.length - 1 ? alpha : 1;
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
      });
      mixed.set(key, [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3));
    }
    return mixed.get(key);
  };
  const behind = (element) => {
    const colours = [];
    let alpha = 1;
    for (let at = element; at; at = at.parentElement) {
      colours.unshift(style(at).backgroundColor);
      alpha *= style(at).opacity;
    }
    const page = matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff";
    return [[page, ...colours.filter((one) => one !== transparent)], alpha];
  };
  const luminance = (colour) => colour.map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, which) => sum + part * [0.2126, 0.7152, 0.0722][which], 0);
  const contrast = (wrong, colour, element, least, what) => {
    const [on, alpha] = behind(element), [dark, bright] = [mix(on), mix([...on, colour], alpha)].map(luminance).sort((a, b) => a - b);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < least) wrong.add(`contrast ${ratio.toFixed(2)} of ${what}, ${colour} on ${mix(on)}: ${told(element)}`);
  };

  // Of each text: its lines, which are returned, and its colour.
  const text = (wrong, node) => {
    const parent = node.parentElement, range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter((line) => line.width && line.height);
    if (!lines.length) return [];
    contrast(wrong, style(parent).color, parent, 4.5, "text");
    let block = parent;
    while (/^(inline|contents)$/.test(style(block).display)) block = block.parentElement;
    const around = block.getBoundingClientRect();
    if (lines.some((line) => line.left < around.left - 1 || line.right > around.right + 1)) wrong.add(`beyond its ${block.localName}: ${told(node)}`);
    if (lines.length > 1) {
      for (const word of node.data.matchAll(/(?<=^|\s)\w{2,20}(?=\s|$)/g)) {
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((line) => line.top)).size > 1) wrong.add(`a short word is broken: ${word[0]}`);
      }
    }
    return lines.map((box) => ({box, of: parent, what: told(node)}));
  };

  // Of each element: whether it is where one sees all of it.
  const element = (wrong, one) => {
    const box = one.getBoundingClientRect(), its = style(one), name = one.localName, what = `${name} ${told(one)}`;
    if (box.width && (box.left < -1 || box.right > innerWidth + 1)) wrong.add(`beside the screen: ${what}`);
    const wide = one.scrollWidth > one.clientWidth + 1, high = its.overflowY !== "visible" && one.scrollHeight > one.clientHeight + 1;
    if (its.display !== "inline" && one.clientWidth && (wide || high)) wrong.add(`clipped: ${what}`);
    for (const part of ["::before", "::after"]) {
      const made = style(one, part);
      if (/^(none|normal|"")$/.test(made.content)) continue;
      contrast(wrong, made.color, one, 4.5, part);
      if (parseFloat(made.height) > 2 * parseFloat(made.fontSize)) wrong.add(`broken: ${part} of ${what}`);
    }
    if (/^(input|select)$/.test(name)) {
      contrast(wrong, its.color, one, 4.5, "value");
      contrast(wrong, its.borderTopColor, one.parentElement, 3, "border");
      const longest = one.placeholder || [...one.options].reduce((a, b) => a.length > b.text.length ? a : b.text, "");
      canvas.font = its.font;
      if (canvas.measureText(longest).width > one.clientWidth - parseFloat(its.paddingLeft) - parseFloat(its.paddingRight)) wrong.add(`clipped: ${longest}`);
    }
    if (one.placeholder) contrast(wrong, style(one, "::placeholder").color, one, 4.5, "placeholder");
    if (!one.textContent && its.backgroundColor !== transparent) contrast(wrong, its.backgroundColor, one.parentElement, name === "input" ? 1 : 3, "area");
    if (/^(button|input|select|summary)$/.test(name) && Math.min(box.height, box.width) < 24) wrong.add(`too small to hit: ${what}`);
    const edged = its.borderTopWidth !== "0px" || its.borderLeftWidth !== "0px" || its.backgroundColor !== transparent;
    return edged ? [{box, of: one, what}] : [];
  };

  const overlaps = (wrong, boxes) => {
    boxes.sort((a, b) => a.box.top - b.box.top);
    boxes.forEach((one, index) => {
      for (let next = index + 1; next < boxes.length && boxes[next].box.top < one.box.bottom - 1; next++) {
        const other = boxes[next], width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        if (width <= 1 || other.box.height <= 1 || one.of.contains(other.of) || other.of.contains(one.of)) continue;
        wrong.add(`overlap: ${one.what} | ${other.what}`);
      }
    });
  };

  const looks = () => {
    const wrong = new Set(), boxes = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      if (texts.currentNode.data.trim() && seen(texts.currentNode.parentElement)) boxes.push(...text(wrong, texts.currentNode));
    }
    for (const one of document.body.querySelectorAll("*")) if (seen(one)) boxes.push(...element(wrong, one));
    overlaps(wrong, boxes);
    if (document.documentElement.scrollWidth > innerWidth) wrong.add("the page scrolls sideways");
    return [...wrong];
  };

  const reached = () => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")].filter(seen);
  let before = null;
  const focus = () => {
    const wrong = new Set(), one = document.activeElement, its = style(one), [line] = one.getClientRects();
    if (its.outlineStyle === "none" || parseFloat(its.outlineWidth) < 2) wrong.add(`no outline: ${told(one)}`);
    contrast(wrong, its.outlineColor, one.parentElement, 3, "outline");
    const there = document.elementFromPoint(line.left + line.width / 2, line.top + line.height / 2);
    if (!there || !(one.contains(there) || there.contains(one))) wrong.add(`not in sight: ${told(one)}`);
    const top = line.top + scrollY;
    const up = before && top < before.top - 4, level = before && !up && top < before.top + 4;
    if ((up && line.left < before.right - 1) || (level && line.left < before.left)) wrong.add(`the Tab key goes back, to ${told(one)}`);
    before = {top, left: line.left, right: line.right};
    return {at: reached().indexOf(one), of: reached().length, wrong: [...wrong]};
  };
  return {looks, focus};
})()
